//! Writes every capture of the corpus to a folder, to look at them with Netwatch, tshark or tcpdump:
//! `cargo run -p netwatch-testkit --example corpus -- FOLDER`.
#![expect(clippy::print_stdout, reason = "a program for developers, which answers on its terminal")]

use std::path::PathBuf;
use std::{env, fs, io};

use netwatch_testkit::corpus::corpus;
use netwatch_testkit::pcap::Format;

fn main() -> io::Result<()> {
    let folder = env::args_os().nth(1).map(PathBuf::from);
    let folder = folder.ok_or_else(|| io::Error::other("usage: corpus FOLDER"))?;
    fs::create_dir_all(&folder)?;
    for case in corpus() {
        let ending = if case.format == Format::PcapNg { "pcapng" } else { "pcap" };
        let file = folder.join(format!("{}.{ending}", case.name));
        fs::write(&file, case.file())?;
        println!("{}: {}", file.display(), case.expected.about);
    }
    Ok(())
}
