//! What the log's thread does when it is asked: going on in another file, taking a base, ending.
//!
//! A request has its place in the stream, so all that was appended before it is written when its turn comes.

use std::path::PathBuf;
use std::sync::Arc;

use super::super::report::Report;
use super::super::store::{Adopted, Behind, Store};
use super::committer::{Committer, Work};
use super::file::LogFile;
use super::request::{Done, FinishRewrite, Request, RewriteFinished};
use crate::disk::{DiskError, DiskFile};

impl Committer {
    /// Goes on in a new file. A failure is the asker's; only one of the sync is the log's as well.
    pub(super) fn rotate(&mut self, offset: Option<i64>, done: Done<()>) -> Result<(), DiskError> {
        self.is_rotated = false;
        if let Err(error) = self.sync_before_another() {
            done(Err(again(&error)));
            return Err(error);
        }
        let created =
            if self.is_waiting { create_waiting(&self.store) } else { self.store.create_incremental(offset) };
        self.is_rotated = created.is_ok();
        done(created.map(|(path, handle)| {
            self.file = LogFile::new(Arc::clone(self.store.disk()), path, handle, 0);
            self.is_void = false;
            self.gap.iter_mut().for_each(|gap| gap.is_rotated = true);
            self.measure();
        }));
        Ok(())
    }

    /// Makes the file durable before another one follows it. Where that is past hoping for, it need not be.
    fn sync_before_another(&mut self) -> Result<(), DiskError> {
        if self.is_waiting || self.gap.is_some() {
            return Ok(());
        }
        match self.sync() {
            Ok(()) => Ok(()),
            Err(error) => {
                self.failed_at_once(&error);
                self.restore()?;
                if self.gap.is_some() { Ok(()) } else { Err(error) }
            }
        }
    }

    /// Takes a new base.
    pub(super) fn finish(
        &mut self,
        rewrite: &FinishRewrite,
        done: Done<RewriteFinished>,
    ) -> Result<(), DiskError> {
        if self.is_void || !self.is_waiting && !self.is_rotated {
            // A base for which no file was begun would stand for what is in the current one, too.
            let error = std::io::Error::other("the log was not rotated for it");
            done(Err(DiskError::on("Can't take the base", rewrite.temporary.as_ref())(error)));
            return Ok(());
        }
        if let Err(error) = if self.is_waiting { self.sync() } else { Ok(()) } {
            done(Err(again(&error)));
            return Err(error);
        }
        let behind = match self.is_waiting {
            true => Behind::Adopted(Adopted {
                temporary: self.store.layout().temporary_incremental_name(),
                offset: rewrite.offset,
            }),
            false => Behind::Last,
        };
        match self.store.adopt_base(&rewrite.temporary, rewrite.format, behind) {
            Err(error) => {
                self.is_void = self.is_waiting;
                done(Err(error));
            }
            Ok(path) => {
                path.into_iter().for_each(|path| self.file.renamed(path));
                (self.is_waiting, self.is_rotated) = (false, false);
                self.gap = self.gap.filter(|gap| !gap.is_rotated);
                self.is_history_tried = false;
                self.remove_history();
                let size = self.measure();
                self.shared.update(|figures| figures.base_size = size);
                self.publish();
                done(Ok(RewriteFinished { size }));
            }
        }
        Ok(())
    }

    /// Removes history, unless it is to be kept, or that failed since the last rewrite.
    pub(super) fn remove_history(&mut self) {
        let is_due = !self.store.manifest().history().is_empty() && !self.shared.settings.keeps_history();
        if !is_due || std::mem::replace(&mut self.is_history_tried, true) {
            return;
        }
        match self.store.forget_history() {
            Ok(paths) => {
                self.is_history_tried = false;
                for path in &paths {
                    let name = path.file_name().unwrap_or_default().display();
                    Report::Notice(format!("Removing the history file {name} in the background")).emit();
                }
                (self.remover)(Arc::clone(self.store.disk()), paths);
            }
            Err(error) => Report::Warning(error.to_string()).emit(),
        }
    }

    /// Makes everything durable and ends. Where something that was not kept may be lost, that is told.
    pub(super) fn close(&mut self, offset: Option<i64>, done: Done<()>) -> Result<(), DiskError> {
        let result = self.sync();
        if let Err(error) = result {
            self.queue.push_front(Work::Request(Request::Close { offset, done }));
            return Err(error);
        }
        self.is_closed = true;
        if self.gap.is_some() {
            done(Err(self.file.poisoned()));
            return Ok(());
        }
        let noted = offset.filter(|_| !self.is_waiting).map_or(Ok(()), |offset| self.store.close(offset));
        done(noted);
        Ok(())
    }

    /// Ends without having made everything durable.
    pub(super) fn close_in_vain(&mut self, error: &DiskError) {
        self.is_closed = true;
        self.take();
        for work in std::mem::take(&mut self.queue) {
            match work {
                Work::Request(Request::Close { done, .. } | Request::Rotate { done, .. }) => {
                    done(Err(again(error)))
                }
                Work::Request(Request::Finish { done, .. }) => done(Err(again(error))),
                Work::Write { .. } => {}
            }
        }
    }

    /// Sums up the live files.
    pub(super) fn measure(&mut self) -> u64 {
        let mut size = self.file.len();
        if !self.is_waiting {
            // The last one is the file that is being written.
            let live: Vec<_> = self.store.manifest().live().collect();
            let others = live.split_last().map_or(&[][..], |(_, others)| others);
            size += others.iter().map(|entry| self.store.size_of(entry)).sum::<u64>();
        }
        self.shared.update(|figures| figures.size = size);
        size
    }
}

/// Makes the incremental file of a log without a base.
pub(super) fn create_waiting(store: &Store) -> Result<(PathBuf, Box<dyn DiskFile>), DiskError> {
    let path = store.layout().path(store.layout().temporary_incremental_name());
    let created = store.disk().create(&path);
    created.map(|file| (path.clone(), file)).map_err(DiskError::on("Can't open the append-only file", &path))
}

/// The same error for somebody else.
fn again(error: &DiskError) -> DiskError {
    let source = match error.source.raw_os_error() {
        Some(errno) => std::io::Error::from_raw_os_error(errno),
        None => std::io::Error::new(error.source.kind(), error.source.to_string()),
    };
    DiskError { action: error.action, path: error.path.clone(), source }
}
