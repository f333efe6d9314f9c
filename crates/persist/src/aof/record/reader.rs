//! Reads the units of a log's file, one after the other, without copying what is in them.
//!
//! A unit is given out when all of it is there and, inside a frame, when the frame's sum was compared. So nothing of a
//! transaction is seen before its EXEC, and nothing of a damaged frame at all. After a [`Stop`], [`Reader::valid_end`] is
//! where the last unit ended that can be relied on: a file cut off there is whole. That is where the last unit ended that was
//! given out, unless a frame has the right sum and the wrong contents, which no damage brings about.

use std::io;

use super::annotation::{self, ANNOTATION_BYTES_MAX, Annotation};
use super::command::{self, ArgSpan, Parsed, Progress};
use super::stop::{Defect, Stop};
use super::tail::{self, Tail};
use super::unit::{CommandSpan, Unit};
use super::window::Window;
use crate::disk::DiskFile;

/// Bounds on what is kept in memory at a time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ReadLimits {
    /// The longest argument, in bytes.
    pub argument_bytes_max: u64,
    /// The longest command, transaction or frame, in bytes.
    pub unit_bytes_max: u64,
}

impl Default for ReadLimits {
    /// Arguments of 512 MiB, units of 4 GiB.
    fn default() -> ReadLimits {
        ReadLimits { argument_bytes_max: 512 << 20, unit_bytes_max: 4 << 30 }
    }
}

/// Reads a file.
pub struct Reader<'f> {
    window: Window<'f>,
    limits: ReadLimits,
    /// Where the last unit ended, or the annotation behind it.
    end: u64,
    timestamp_s: Option<u64>,
    /// The timestamp right before, with nothing in between.
    seed: u64,
    /// The frame that the next unit belongs to.
    frame: Option<Frame>,
    /// Where the header of a frame is that ends too early, with a whole unit.
    short_frame: Option<u64>,
    /// Whether sums may be other ones.
    ignores_sums: bool,
    /// Where the first one was that is.
    ignored_at: Option<u64>,
    /// The unit at hand.
    commands: Vec<CommandSpan>,
    args: Vec<ArgSpan>,
}

/// Where a frame is, from its header on.
#[derive(Clone, Copy)]
struct Frame {
    start: u64,
    end: u64,
}

/// What a step found at the current position of a unit.
enum Found {
    Command { len: usize },
    Annotation { len: usize },
    End,
}

/// How far the unit at hand goes.
#[derive(Default)]
struct Extent {
    len: usize,
    in_transaction: bool,
    is_transaction: bool,
}

impl<'f> Reader<'f> {
    /// A reader of the units from `position` on.
    pub fn new(file: &'f dyn DiskFile, position: u64, limits: ReadLimits) -> Reader<'f> {
        Reader {
            window: Window::new(file, position),
            limits,
            end: position,
            timestamp_s: None,
            seed: 0,
            frame: None,
            short_frame: None,
            ignores_sums: false,
            ignored_at: None,
            commands: Vec::new(),
            args: Vec::new(),
        }
    }

    /// Does not mind sums that do not match.
    #[must_use]
    pub fn ignoring_sums(mut self, ignores: bool) -> Reader<'f> {
        self.ignores_sums = ignores;
        self
    }

    /// Where the first sum was that did not match, if that was not to be minded.
    pub fn ignored_at(&self) -> Option<u64> {
        self.ignored_at
    }

    /// Where the header of a last frame is that has less bytes than it says, but whole units. They were given out without having been
    /// compared. Before anything is added to the file, that must be made no header any more: [`disown_frame`].
    pub fn short_frame(&self) -> Option<u64> {
        self.short_frame
    }

    /// Where the file can be cut off so that it is whole.
    pub fn valid_end(&self) -> u64 {
        self.frame.filter(|frame| self.end < frame.end).map_or(self.end, |frame| frame.start)
    }

    /// Where the last unit ended that was given out, or the annotation behind it.
    pub fn given_end(&self) -> u64 {
        self.end
    }

    /// The last timestamp, in seconds.
    pub fn timestamp_s(&self) -> Option<u64> {
        self.timestamp_s
    }

    /// The next unit, `None` at the end of the file.
    ///
    /// # Errors
    /// Why there is none; then there is no more.
    pub fn next_unit(&mut self) -> Result<Option<Unit<'_>>, Stop> {
        self.begin_unit();
        self.skip_annotations()?;
        let extent = self.read_unit()?;
        if extent.len == 0 {
            return Ok(None);
        }
        let start = self.window.position();
        let end = start + extent.len as u64;
        if self.frame.is_some_and(|frame| end > frame.end) {
            return Err(Stop::Corrupt { at: start, defect: Defect::FrameEnd });
        }
        (self.end, self.seed) = (end, 0);
        let Reader { window, commands, args, .. } = self;
        Ok(Some(Unit {
            bytes: window.bytes().get(..extent.len).unwrap_or_default(),
            commands,
            args,
            start,
            end,
            is_transaction: extent.is_transaction,
            timestamp_s: self.timestamp_s,
        }))
    }

    /// Lets go of the unit before.
    fn begin_unit(&mut self) {
        let passed = self.end.saturating_sub(self.window.position());
        self.window.pass(usize::try_from(passed).unwrap_or(usize::MAX));
        self.commands.clear();
        self.args.clear();
        self.frame = self.frame.filter(|frame| self.end < frame.end);
    }

    /// Reads what stands between units.
    fn skip_annotations(&mut self) -> Result<(), Stop> {
        while self.window.want(1).map_err(Stop::Disk)? && self.window.bytes().first() == Some(&b'#') {
            let at = self.window.position();
            let (found, len) = self.annotation(0, false)?;
            match found {
                Annotation::Timestamp(seconds) => {
                    (self.timestamp_s, self.seed) = (Some(seconds), seconds);
                }
                Annotation::Frame(header) => {
                    self.window.pass(len);
                    if self.frame.is_some() {
                        return Err(Stop::Corrupt { at, defect: Defect::FrameEnd });
                    }
                    let is_right = self.compare(at, &header)?;
                    let start = self.window.position();
                    self.seed = 0;
                    if is_right {
                        self.frame =
                            Some(Frame { start: at, end: start + header.len }).filter(|_| header.len > 0);
                    } else {
                        self.end = start;
                    }
                    continue;
                }
                Annotation::Other => {}
            }
            self.window.pass(len);
            if self.frame.is_none() {
                self.end = self.window.position();
            }
        }
        Ok(())
    }

    /// Reads all of a frame and compares its sum; whether its units are those of the frame, and not to be taken as if there
    /// were no frame.
    fn compare(&mut self, at: u64, header: &super::frame::FrameHeader) -> Result<bool, Stop> {
        let result = self.compare_strictly(at, header);
        if self.ignores_sums && matches!(result, Err(Stop::Corrupt { .. } | Stop::Truncated { .. })) {
            self.ignored_at = self.ignored_at.or(Some(at));
            return Ok(false);
        }
        result
    }

    fn compare_strictly(&mut self, at: u64, header: &super::frame::FrameHeader) -> Result<bool, Stop> {
        let len = usize::try_from(header.len).ok().filter(|_| header.len <= self.limits.unit_bytes_max);
        let len = len.ok_or(Stop::Corrupt { at, defect: Defect::TooLong })?;
        if !self.window.want(len).map_err(Stop::Disk)? {
            let (rest, position) = (self.window.bytes(), self.window.position());
            return match tail::look(rest, position, self.limits.argument_bytes_max) {
                Tail::Whole => {
                    self.short_frame = Some(at);
                    Ok(false)
                }
                Tail::Cut => Err(Stop::Truncated { in_transaction: false }),
                Tail::Frames => Err(Stop::Corrupt { at, defect: Defect::Sum }),
            };
        }
        let body = self.window.bytes().get(..len).unwrap_or_default();
        if header.matches(body, self.seed) {
            Ok(true)
        } else {
            Err(Stop::Corrupt { at, defect: Defect::Sum })
        }
    }

    /// Reads the commands of a unit; its length is 0 at the end of the file.
    fn read_unit(&mut self) -> Result<Extent, Stop> {
        let mut extent = Extent::default();
        loop {
            match self.find(&extent)? {
                Found::End if extent.in_transaction => return Err(Stop::Truncated { in_transaction: true }),
                Found::End => return Ok(extent),
                Found::Annotation { len } => extent.len += len,
                Found::Command { len } => {
                    self.take_command(&mut extent, len)?;
                    if !extent.in_transaction {
                        return Ok(extent);
                    }
                }
            }
            if extent.len as u64 > self.limits.unit_bytes_max {
                return Err(self.corrupt(&extent, Defect::TooLong));
            }
        }
    }

    /// Adds the command of `len` bytes behind the unit so far; its arguments are the last ones.
    fn take_command(&mut self, extent: &mut Extent, len: usize) -> Result<(), Stop> {
        let args_start = self.commands.last().map_or(0, |last| last.args_end);
        let own = self.args.get(args_start..).unwrap_or_default();
        let bytes = self.window.bytes().get(extent.len..).unwrap_or_default();
        let name = command::Command::new(bytes, own).name();
        let (begins, ends) = (name.eq_ignore_ascii_case(b"multi"), name.eq_ignore_ascii_case(b"exec"));
        if begins && extent.in_transaction {
            return Err(self.corrupt(extent, Defect::NestedMulti));
        }
        if ends && !extent.in_transaction {
            return Err(self.corrupt(extent, Defect::ExecWithoutMulti));
        }
        if begins || ends {
            self.args.truncate(args_start);
            extent.in_transaction = begins;
            extent.is_transaction = true;
        } else {
            let (start, end) = (extent.len, extent.len + len);
            self.commands.push(CommandSpan { start, end, args_end: self.args.len() });
        }
        extent.len += len;
        Ok(())
    }

    /// Looks at what comes behind the unit so far.
    fn find(&mut self, extent: &Extent) -> Result<Found, Stop> {
        if !self.window.want(extent.len + 1).map_err(Stop::Disk)? {
            return Ok(Found::End);
        }
        if self.window.bytes().get(extent.len) == Some(&b'#') {
            let (annotation, len) = self.annotation(extent.len, extent.in_transaction)?;
            return match annotation {
                Annotation::Frame(_) if !self.ignores_sums => Err(self.corrupt(extent, Defect::FrameEnd)),
                _ => Ok(Found::Annotation { len }),
            };
        }
        let mut progress = Progress::default();
        loop {
            let bytes = self.window.bytes().get(extent.len..).unwrap_or_default();
            match command::parse(bytes, self.limits.argument_bytes_max, &mut progress, &mut self.args) {
                Parsed::Whole(len) => return Ok(Found::Command { len }),
                Parsed::Wrong(at, defect) => {
                    let at = self.window.position() + (extent.len + at) as u64;
                    return Err(Stop::Corrupt { at, defect });
                }
                Parsed::Cut(len) if (extent.len + len) as u64 > self.limits.unit_bytes_max => {
                    return Err(self.corrupt(extent, Defect::TooLong));
                }
                Parsed::Cut(len) => self.more(extent.len + len, extent.in_transaction)?,
            }
        }
    }

    /// Reads on, or says that the file is cut.
    fn more(&mut self, len: usize, in_transaction: bool) -> Result<(), Stop> {
        match self.window.want(len) {
            Ok(true) => Ok(()),
            Ok(false) => Err(Stop::Truncated { in_transaction }),
            Err(error) => Err(Stop::Disk(error)),
        }
    }

    /// The annotation at `at`, and its length with the end of its line.
    fn annotation(&mut self, at: usize, in_transaction: bool) -> Result<(Annotation, usize), Stop> {
        let full = self.window.want(at + ANNOTATION_BYTES_MAX).map_err(Stop::Disk)?;
        let bytes = self.window.bytes().get(at..).unwrap_or_default();
        let bytes = bytes.get(..ANNOTATION_BYTES_MAX).unwrap_or(bytes);
        let position = self.window.position() + at as u64;
        let Some(end) = bytes.iter().position(|byte| *byte == b'\n') else {
            return Err(if full {
                Stop::Corrupt { at: position, defect: Defect::Annotation }
            } else {
                Stop::Truncated { in_transaction }
            });
        };
        let line = bytes.get(..end).unwrap_or_default().strip_suffix(b"\r");
        let parsed = line.ok_or(Defect::Annotation).and_then(annotation::parse);
        let parsed = if self.ignores_sums { parsed.or(Ok(Annotation::Other)) } else { parsed };
        parsed.map(|found| (found, end + 1)).map_err(|defect| Stop::Corrupt { at: position, defect })
    }

    fn corrupt(&self, extent: &Extent, defect: Defect) -> Stop {
        Stop::Corrupt { at: self.window.position() + extent.len as u64, defect }
    }
}

/// What the disk said, for those who only need to know that it failed.
impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Stop {
        Stop::Disk(error)
    }
}
