//! What Rust has no safe name for: telling the kernel that pages are not needed.

use std::ops::Range;

/// Unmaps the pages of a private mapping of a file; they are read again when they are touched.
pub fn give_back(mapping: Range<usize>) {
    let at = std::ptr::with_exposed_provenance_mut(mapping.start);
    // SAFETY: the caller took the range from `/proc/self/smaps`, where it was not writable and had no page of its own: its pages are those
    // of the file, so the kernel brings back the same bytes. It is of the program or of a library that is never unloaded.
    let done = unsafe { rustix::mm::madvise(at, mapping.len(), rustix::mm::Advice::LinuxDontNeed) };
    if let Err(error) = done {
        tracing::debug!(%error, "pages of the program are kept");
    }
}
