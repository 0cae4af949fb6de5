//! What Rust has no safe name for: telling the kernel that pages are not needed.

use std::ops::Range;

/// Unmaps the pages of a private mapping of a file; they are read again when they are touched.
pub fn give_back(text: Range<usize>) {
    let at = std::ptr::with_exposed_provenance_mut(text.start);
    // SAFETY: the caller took the range from `/proc/self/maps`, where it was executable and not writable: its pages are those of the
    // file, so the kernel brings back the same bytes. A range that has gone meanwhile is refused, or holds other text of a file.
    let done = unsafe { rustix::mm::madvise(at, text.len(), rustix::mm::Advice::LinuxDontNeed) };
    if let Err(error) = done {
        tracing::debug!(%error, "pages of text are kept");
    }
}
