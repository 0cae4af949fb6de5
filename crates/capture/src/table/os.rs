//! What Rust has no safe name for: asking for a cache line ahead of time, and for large pages.

/// Asks the processor to bring the line of `place` nearer. Has no effect that a program can see.
#[inline(always)]
pub fn prefetch<T>(place: &T) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a prefetch never faults and changes no state of the program; the pointer comes from a reference.
    unsafe {
        core::arch::x86_64::_mm_prefetch::<{ core::arch::x86_64::_MM_HINT_T0 }>(core::ptr::from_ref(place).cast());
    }
    #[cfg(target_arch = "aarch64")]
    // SAFETY: `prfm` never faults and changes no state of the program; the pointer comes from a reference.
    unsafe {
        core::arch::asm!("prfm pldl1keep, [{0}]", in(reg) core::ptr::from_ref(place), options(nostack, readonly, preserves_flags));
    }
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    let _ = place;
}

/// A vector with room for `capacity` items in large pages where the kernel has them (`madvise`): random places in a large table then
/// cost no page walk each, and a flood of new flows no fault for every few of them. Without large pages it is a plain vector.
#[must_use]
pub fn with_capacity_in_large_pages<T>(capacity: usize) -> Vec<T> {
    let mut vector: Vec<T> = Vec::with_capacity(capacity);
    const PAGE: usize = 4096;
    let room = vector.spare_capacity_mut();
    let start = room.as_mut_ptr().cast::<u8>().addr();
    let first = start.next_multiple_of(PAGE);
    let length = (start + size_of_val(room)).saturating_sub(first);
    // Less than one large page gains nothing.
    if length >= 2 << 20 {
        let at = room.as_mut_ptr().cast::<u8>().wrapping_add(first - start).cast();
        // SAFETY: the range lies inside memory that the vector owns, and the advice changes neither its contents nor its validity.
        // A kernel without large pages refuses, and nothing is lost.
        unsafe { rustix::mm::madvise(at, length, rustix::mm::Advice::LinuxHugepage) }.ok();
    }
    vector
}
