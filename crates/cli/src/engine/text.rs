//! The program's text in memory: what only the start ran is given back.
//!
//! Starting runs much code once (the loader, the database's catalogue, the routes), and the kernel maps the pages around each that is
//! touched. They can be read again from the file at any time, so nothing is lost when they go; what runs on is there again at once,
//! out of the page cache.

mod os;

use std::ops::Range;
use std::time::Duration;

/// When everything has run once.
const SETTLED: Duration = Duration::from_secs(10);

/// Gives back the pages of text some seconds after the start.
pub async fn give_back_when_settled() {
    tokio::time::sleep(SETTLED).await;
    match std::fs::read_to_string("/proc/self/maps") {
        Ok(maps) => maps.lines().filter_map(text_range).for_each(os::give_back),
        Err(error) => tracing::debug!(%error, "the maps of this process cannot be read"),
    }
}

/// The addresses of a line of `/proc/self/maps` that is text of a file: executable, and not writable, so that it was never changed.
fn text_range(line: &str) -> Option<Range<usize>> {
    let mut words = line.split_ascii_whitespace();
    let (range, rights) = (words.next()?, words.next()?);
    let file = words.nth(3)?;
    let (from, to) = range.split_once('-')?;
    let address = |text| usize::from_str_radix(text, 16).ok();
    (rights == "r-xp" && file.starts_with('/')).then_some(address(from)?..address(to)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_text_of_files_is_given_back() {
        let line = "7f0000001000-7f0000003000 r-xp 00001000 fe:00 1234                       /usr/bin/netwatch";
        assert_eq!(text_range(line), Some(0x7f00_0000_1000..0x7f00_0000_3000));
        for other in [
            "7f0000001000-7f0000003000 rw-p 00001000 fe:00 1234 /usr/bin/netwatch",
            "7f0000001000-7f0000003000 r--p 00001000 fe:00 1234 /usr/bin/netwatch",
            "7f0000001000-7f0000003000 rwxp 00000000 00:00 0",
            "7f0000001000-7f0000003000 r-xp 00000000 00:00 0 [vdso]",
            "7f0000001000-7f0000003000 r-xp 00000000 00:00 0",
            "",
        ] {
            assert_eq!(text_range(other), None, "{other}");
        }
    }

    #[test]
    fn a_program_goes_on_without_its_text() {
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
        let ranges: Vec<_> = maps.lines().filter_map(text_range).collect();
        assert!(!ranges.is_empty());
        ranges.into_iter().for_each(os::give_back);
        assert_eq!("it runs".to_uppercase(), "IT RUNS");
    }
}
