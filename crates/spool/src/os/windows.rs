//! Windows.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::windows::fs::FileExt as _;
use std::path::Path;

pub(super) fn private_folder() -> DirBuilder {
    DirBuilder::new()
}

pub(super) fn private_file() -> OpenOptions {
    OpenOptions::new()
}

#[expect(clippy::unnecessary_wraps, reason = "elsewhere it can fail")]
pub(super) const fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

pub(super) fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    file.seek_read(buffer, offset)
}

pub(super) fn write_at(file: &File, bytes: &[u8], offset: u64) -> io::Result<usize> {
    file.seek_write(bytes, offset)
}

pub(super) fn reserve(file: &File, size: u64) -> io::Result<()> {
    if file.metadata()?.len() < size { file.set_len(size) } else { Ok(()) }
}
