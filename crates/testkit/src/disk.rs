//! Small file systems in files, for tests of what a full disk and a power cut do.
//!
//! A [`Disk`] is an ext4 in a file, mounted through a loop device. On a [`Stage`], an XFS in a file, the file of a disk can be
//! snapshotted while it is written to ([`Stage::cut_power`]): what is then found is what a machine finds after its power was cut.
//!
//! Limits: root, `mkfs.ext4`, `mkfs.xfs` and loop devices. Without them `…_or_skip` says loudly that the test is skipped.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustix::fs::{FallocateFlags, fallocate};

/// XFS does not get smaller. Its file is sparse: what a disk on it does not use takes no room.
const STAGE_MEGABYTES: u64 = 1024;

/// A mounted file system; unmounted when dropped.
#[derive(Debug)]
pub struct Disk {
    image: PathBuf,
    mount: PathBuf,
}

/// What takes the room of a disk; gone when dropped.
#[derive(Debug)]
pub struct Ballast(PathBuf);

impl Drop for Ballast {
    fn drop(&mut self) {
        // The whole disk may be gone already.
        let _ = fs::remove_file(&self.0);
    }
}

/// A file system whose files can be snapshotted, with a disk on it.
#[derive(Debug)]
pub struct Stage {
    // Dropped in this order: the disk lies on the stage.
    disk: Disk,
    stage: Disk,
    /// Snapshots that were made.
    cuts: AtomicUsize,
}

impl Disk {
    /// An ext4 of that size, in files under `folder`.
    #[must_use]
    pub fn new_or_skip(test: &str, folder: &Path, megabytes: u64) -> Option<Self> {
        or_skip(test, Self::make(folder, "disk", megabytes, &["mkfs.ext4", "-q", "-F"]))
    }

    /// An ext4 of that size over the folder `mount`; its file is `image`.
    #[must_use]
    pub fn over_or_skip(test: &str, image: PathBuf, mount: PathBuf, megabytes: u64) -> Option<Self> {
        or_skip(test, Self::make_at(image, mount, megabytes, &["mkfs.ext4", "-q", "-F"]))
    }

    /// Where it is mounted.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.mount
    }

    /// Takes all its room, until the ballast is dropped.
    ///
    /// # Panics
    /// When the file of the ballast cannot be made.
    #[must_use]
    pub fn fill(&self) -> Ballast {
        let path = self.mount.join("ballast");
        let file = File::create(&path).unwrap();
        let (mut end, mut step) = (0, 1 << 30);
        while step >= 1024 {
            match fallocate(&file, FallocateFlags::empty(), end, step) {
                Ok(()) => end += step,
                Err(_) => step /= 2,
            }
        }
        Ballast(path)
    }

    fn make(folder: &Path, name: &str, megabytes: u64, mkfs: &[&str]) -> Result<Self, String> {
        Self::make_at(folder.join(format!("{name}.img")), folder.join(name), megabytes, mkfs)
    }

    fn make_at(image: PathBuf, mount: PathBuf, megabytes: u64, mkfs: &[&str]) -> Result<Self, String> {
        let text = |error: std::io::Error| error.to_string();
        File::create(&image).and_then(|file| file.set_len(megabytes << 20)).map_err(text)?;
        let (program, options) = mkfs.split_first().ok_or("no program makes the file system")?;
        run(Command::new(program).args(options).arg(&image))?;
        Self::mount(image, mount)
    }

    fn mount(image: PathBuf, mount: PathBuf) -> Result<Self, String> {
        fs::create_dir_all(&mount).map_err(|error| error.to_string())?;
        run(Command::new("mount").args(["-o", "loop"]).arg(&image).arg(&mount))?;
        Ok(Self { image, mount })
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily: a process that still has a file open must not leave a mount behind.
        let _ = run(Command::new("umount").arg("-l").arg(&self.mount));
    }
}

impl Stage {
    /// A stage with an ext4 of that size, in files under `folder`.
    #[must_use]
    pub fn new_or_skip(test: &str, folder: &Path, megabytes: u64) -> Option<Self> {
        let made = Disk::make(folder, "stage", STAGE_MEGABYTES, &["mkfs.xfs", "-q", "-f", "-m", "reflink=1"]);
        let stage = or_skip(test, made)?;
        let disk = Disk::new_or_skip(test, stage.path(), megabytes)?;
        Some(Self { disk, stage, cuts: AtomicUsize::new(0) })
    }

    /// Where the disk is mounted.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.disk.path()
    }

    /// The disk as a machine finds it whose power is cut now.
    ///
    /// # Panics
    /// When it cannot be snapshotted or mounted.
    #[must_use]
    pub fn cut_power(&self) -> Disk {
        // Each in a place of its own: as long as somebody has a file of the one before open, a mount of the same image would be that one.
        let cut = self.cuts.fetch_add(1, Ordering::Relaxed);
        let at = |cut: usize| self.stage.path().join(format!("after-{cut}"));
        if let Some(before) = cut.checked_sub(1) {
            // Its room is free once nobody uses it any more.
            let _ = fs::remove_file(at(before).with_extension("img"));
        }
        let image = at(cut).with_extension("img");
        run(Command::new("cp").arg("--reflink=always").arg(&self.disk.image).arg(&image)).unwrap();
        Disk::mount(image, at(cut)).unwrap()
    }
}

#[expect(clippy::print_stderr, reason = "a skipped test must be seen")]
fn or_skip(test: &str, made: Result<Disk, String>) -> Option<Disk> {
    made.inspect_err(|why| eprintln!("SKIPPED: {test}: no file system for it ({why}); run the tests as root")).ok()
}

fn run(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    let text = String::from_utf8_lossy(&output.stderr);
    if output.status.success() { Ok(()) } else { Err(format!("{command:?}: {}", text.trim())) }
}
