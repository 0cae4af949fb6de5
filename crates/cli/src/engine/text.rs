//! The program's text and constants in memory: what is not used any more is given back.
//!
//! Starting runs much code once (the loader, the database's catalogue, the routes), writing to the store runs much of the database every
//! twenty seconds, and the kernel maps the pages around each that is touched. They can be read again from the file at any time, so
//! nothing is lost when they go; what is used on is there again at once, out of the page cache, for some hundred faults each time.

mod os;

use std::io;
use std::ops::Range;
use std::time::Duration;

/// How often.
const EVERY: Duration = Duration::from_secs(10);

/// Gives back the pages of the program and of DuckDB's library, again and again.
pub async fn give_back() {
    // Both are never unloaded: another mapping cannot take their place.
    let ranges = match mappings() {
        Ok(ranges) => ranges,
        Err(error) => {
            tracing::debug!(%error, "the maps of this process cannot be read");
            return;
        }
    };
    loop {
        tokio::time::sleep(EVERY).await;
        ranges.iter().cloned().for_each(os::give_back);
    }
}

fn mappings() -> io::Result<Vec<Range<usize>>> {
    let program = std::env::current_exe()?;
    Ok(unchanged(&std::fs::read_to_string("/proc/self/smaps")?, program.to_str().unwrap_or_default()))
}

/// The addresses of the program and of DuckDB that are as in their files, from `/proc/self/smaps`: not writable, and without a page of
/// their own. What the loader has changed before it took the right to write has such pages.
fn unchanged(maps: &str, program: &str) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    for line in maps.lines() {
        if let Some(range) = range_of(line, program) {
            found.push(range);
        } else if let Some(("Anonymous" | "Swap", amount)) = line.split_once(':')
            && amount.trim() != "0 kB"
            && let Some(mapping) = found.last_mut()
        {
            // Empty: it is not as in its file.
            mapping.end = mapping.start;
        }
    }
    found.retain(|range| !range.is_empty());
    found
}

/// Of a line that begins a mapping, its addresses; empty when it is writable or something else.
fn range_of(line: &str, program: &str) -> Option<Range<usize>> {
    let mut words = line.split_ascii_whitespace();
    let (range, rights) = (words.next()?, words.next()?);
    let (from, to) = range.split_once('-')?;
    let address = |text| usize::from_str_radix(text, 16).ok();
    let range = address(from)?..address(to)?;
    let is_ours =
        |path: &str| path == program || path.rsplit('/').next().is_some_and(|name| name.starts_with("libduckdb."));
    let is_fixed = matches!(rights, "r-xp" | "r--p") && words.nth(3).is_some_and(is_ours);
    Some(if is_fixed { range } else { Range::default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_as_in_its_file_is_given_back() {
        let mapping = |head: &str, anonymous: u32, swap: u32| {
            format!(
                "{head}\nSize: 8 kB\nRss: 8 kB\nAnonymous: {anonymous} kB\nSwap: {swap} kB\nVmFlags: rd ex mr mw me\n"
            )
        };
        let text = "7f0000001000-7f0000003000 r-xp 00001000 fe:00 1234                       /usr/bin/netwatch";
        let constants = "7f0000003000-7f0000004000 r--p 00001000 fe:00 1234 /usr/lib/netwatch/libduckdb.so";
        let (text_at, constants_at) = (0x7f00_0000_1000..0x7f00_0000_3000, 0x7f00_0000_3000..0x7f00_0000_4000);
        let unchanged = |maps: &str| unchanged(maps, "/usr/bin/netwatch");
        let both = mapping(text, 0, 0) + &mapping(constants, 0, 0);
        assert_eq!(unchanged(&both), [text_at.clone(), constants_at.clone()]);
        assert_eq!(unchanged(&(mapping(text, 0, 0) + &mapping(constants, 4, 0))), [text_at]);
        assert_eq!(unchanged(&(mapping(text, 0, 4) + &mapping(constants, 0, 0))), [constants_at]);
        for other in [
            "7f0000001000-7f0000003000 rw-p 00001000 fe:00 1234 /usr/bin/netwatch",
            "7f0000001000-7f0000003000 r--s 00001000 fe:00 1234 /usr/bin/netwatch",
            "7f0000001000-7f0000003000 rwxp 00000000 00:00 0",
            "7f0000001000-7f0000003000 r-xp 00001000 fe:00 1234 /usr/lib/libpcap.so.0.8",
            "7f0000001000-7f0000003000 r-xp 00000000 00:00 0 [vdso]",
            "7f0000001000-7f0000003000 r-xp 00000000 00:00 0",
            "",
        ] {
            assert!(unchanged(&mapping(other, 0, 0)).is_empty(), "{other}");
            // Its pages are not those of the mapping before it.
            assert_eq!(unchanged(&(mapping(text, 0, 0) + &mapping(other, 4, 0))).len(), usize::from(!other.is_empty()));
        }
    }

    #[test]
    fn a_program_goes_on_without_its_text_and_constants() {
        let ranges = mappings().unwrap();
        assert!(ranges.len() > 1);
        ranges.into_iter().for_each(os::give_back);
        assert_eq!("it runs".to_uppercase(), "IT RUNS");
        assert!("1.5".parse::<f64>().unwrap() > 1.0);
    }
}
