//! Writing into a file of cases what a peer answers.

use ochre_resp::Value;

use super::file::{Case, CaseFile, Expect, Step};
use super::mode::Mode;
use super::pattern::Captures;
use super::print::{print_one, print_pair};
use super::run::{Runner, matches_expected};

/// Runs the cases of a file and puts the peer's reply wherever the file knows none or another. Patterns that match
/// stay. Returns the new lines and how many replies were written.
///
/// # Errors
/// When a case could not be run.
pub fn record(runner: &mut Runner, file: &CaseFile, kind: &str) -> Result<(Vec<String>, usize), String> {
    let mut lines = file.lines.clone();
    let mut written = 0;
    // From the end, so that line numbers before stay right.
    for case in file.cases.iter().rev() {
        let [resp2, resp3] = ["resp2", "resp3"].map(|name| {
            let mode = Mode::from_name(name).filter(|mode| case.applies(*mode, kind))?;
            Some(runner.replies(case, mode))
        });
        let in_case = |text| format!("{}:{}: {}: {text}", file.path.display(), case.line, case.title);
        let resp2 = resp2.transpose().map_err(in_case)?;
        let resp3 = resp3.transpose().map_err(in_case)?;
        for (at, step) in case.steps.iter().enumerate().rev() {
            let reply = |replies: &Option<Vec<Option<Value>>>| replies.as_ref()?.get(at)?.clone();
            let Some(text) = correction(step, reply(&resp2), reply(&resp3), protocol_of(case, at)) else {
                continue;
            };
            lines.splice(step.reply_lines.clone(), text.lines().map(str::to_owned));
            written += 1;
        }
    }
    Ok((lines, written))
}

/// The protocol that the client of a step was told to speak in the case itself.
fn protocol_of(case: &Case, at: usize) -> Option<bool> {
    let client = &case.steps[at].client;
    let mut protocol = None;
    for step in case.steps[..=at].iter().filter(|step| step.client == *client) {
        let super::Send::Request(args) = &step.send else { continue };
        let words: Vec<String> =
            args.iter().take(2).map(|arg| String::from_utf8_lossy(arg).to_lowercase()).collect();
        match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
            ["hello", "3"] => protocol = Some(true),
            ["hello", "2"] | ["reset", ..] => protocol = Some(false),
            _ => {}
        }
    }
    protocol
}

/// What the file should say, if it says something else.
fn correction(
    step: &Step,
    resp2: Option<Value>,
    resp3: Option<Value>,
    protocol: Option<bool>,
) -> Option<String> {
    if matches!(step.expect, Expect::Nothing | Expect::Closed) {
        return None;
    }
    let right = |reply: &Option<Value>, resp3| {
        reply.as_ref().is_none_or(|reply| {
            matches_expected(&step.expect, reply, protocol.unwrap_or(resp3), &mut Captures::new())
        })
    };
    if right(&resp2, false) && right(&resp3, true) {
        return None;
    }
    match (resp2, resp3) {
        (Some(resp2), Some(resp3)) if resp2 == resp3 && protocol.is_some() => Some(print_one(&resp2)),
        (Some(resp2), Some(resp3)) => Some(print_pair(&resp2, &resp3)),
        (Some(reply), None) | (None, Some(reply)) => Some(print_pair(&reply, &reply)),
        (None, None) => None,
    }
}
