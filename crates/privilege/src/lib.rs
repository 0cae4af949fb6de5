//! Acquire, drop and report capabilities; seccomp, Landlock and the broker: the only such system calls
