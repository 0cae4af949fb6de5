//! The file system as a log needs it: one flat directory. The real one is [`crate::Directory`]; tests have one that fails as told.

use std::fmt::Debug;
use std::io;

/// A directory of a log. Names have no slash.
pub trait Files: Send + Sync + Debug {
    /// For messages.
    fn place(&self) -> String;

    /// Makes the directory if it is not there, and takes it for this process alone until the value is dropped.
    ///
    /// # Errors
    /// [`io::ErrorKind::WouldBlock`] when another process has it, with its id as the text when it is known.
    fn lock(&self) -> io::Result<Box<dyn Send + Sync>>;

    /// Names of all files.
    ///
    /// # Errors
    /// As the file system has them; so everywhere below.
    fn names(&self) -> io::Result<Vec<String>>;

    /// Makes a file that is not there yet, for reading and writing.
    fn create(&self, name: &str) -> io::Result<Box<dyn File>>;

    /// Opens a file for reading and writing.
    fn open(&self, name: &str) -> io::Result<Box<dyn File>>;

    /// Gives a file another name, whatever had it before.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Removes a file.
    fn remove(&self, name: &str) -> io::Result<()>;

    /// Makes names durable.
    fn sync(&self) -> io::Result<()>;
}

/// An open file.
pub trait File: Send + Sync + Debug {
    /// Reads some bytes from an offset on; zero at the end.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize>;

    /// Writes some bytes at an offset; perhaps not all.
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<usize>;

    /// Makes contents and size durable.
    fn sync(&self) -> io::Result<()>;

    /// Its size, bytes.
    fn size(&self) -> io::Result<u64>;

    /// Cuts it to a size.
    fn cut(&self, size: u64) -> io::Result<()>;

    /// Takes space on the disk for so many bytes.
    fn reserve(&self, size: u64) -> io::Result<()>;
}

/// Writes all of `bytes` at `offset`.
pub(crate) fn write_all(file: &dyn File, mut offset: u64, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match file.write_at(offset, bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => {
                bytes = bytes.get(count..).unwrap_or_default();
                offset += count as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Fills as much of `buffer` as there is.
pub(crate) fn read_full(file: &dyn File, mut offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match file.read_at(offset, rest) {
            Ok(0) => break,
            Ok(count) => {
                filled += count;
                offset += count as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// Everything in a file of at most `most` bytes; none when it is larger.
pub(crate) fn read_whole(file: &dyn File, most: usize) -> io::Result<Option<Vec<u8>>> {
    let Some(size) = usize::try_from(file.size()?).ok().filter(|size| *size <= most) else { return Ok(None) };
    let mut bytes = vec![0; size];
    let filled = read_full(file, 0, &mut bytes)?;
    bytes.truncate(filled);
    Ok(Some(bytes))
}

/// Writes a small file so that there is always the old or the new one, whole.
pub(crate) fn replace(files: &dyn Files, name: &str, bytes: &[u8]) -> io::Result<()> {
    let fresh = format!("{name}{FRESH}");
    let written = write_fresh(files, &fresh, bytes).and_then(|()| files.rename(&fresh, name));
    if written.is_err() {
        // What is left of it would only be in the way; it is removed at the next start otherwise.
        let _ = files.remove(&fresh);
    }
    written.and_then(|()| files.sync())
}

/// The end of the name of a file that is being written.
pub(crate) const FRESH: &str = ".new";

fn write_fresh(files: &dyn Files, name: &str, bytes: &[u8]) -> io::Result<()> {
    match files.remove(name) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let file = files.create(name)?;
    write_all(&*file, 0, bytes)?;
    file.sync()
}

/// Whether there is no space for it.
pub(crate) fn is_full(error: &io::Error) -> bool {
    use io::ErrorKind::{QuotaExceeded, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded)
}
