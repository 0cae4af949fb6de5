//! The grammar of SmokePing's files: `*** Section ***`, `+` for each level below, `name = value`, `@include`, `@define`.
//!
//! Limits: [`MAX_FILES`] included files, [`MAX_DEPTH`] of them inside one another, [`MAX_LEVEL`] levels, [`MAX_SECTIONS`] sections,
//! [`MAX_DEFINES`] definitions, lines of [`MAX_LINE`] bytes. What is beyond is refused by line.

use std::collections::HashMap;

use crate::import::{Import, Place, shown};

/// The most included files.
const MAX_FILES: usize = 256;
/// How deep files include others.
const MAX_DEPTH: usize = 8;
/// How deep sections are.
const MAX_LEVEL: usize = 32;
/// The most sections.
const MAX_SECTIONS: usize = 100_000;
/// The most definitions.
const MAX_DEFINES: usize = 64;
/// The longest line, bytes, definitions put in.
const MAX_LINE: usize = 64 << 10;

/// A section, in the order of the files.
#[derive(Debug)]
pub struct Section {
    /// 1 for `*** … ***`, one more for each `+`.
    pub level: usize,
    /// Its name.
    pub name: String,
    /// Where it begins.
    pub place: Place,
    /// Its own variables, each with its place.
    pub values: HashMap<String, (String, Place)>,
}

/// Gives the name and the text of a file that another includes, or why it is not read.
pub type Include<'a> = dyn Fn(&str) -> Result<(String, String), String> + 'a;

/// Reads a file and what it includes. What is not understood is refused in `import`. A file that begins without a section is one of
/// targets.
pub fn read(name: &str, text: &str, include: &Include<'_>, import: &mut Import) -> Vec<Section> {
    let mut reader = Reader { include, import, sections: Vec::new(), defines: Vec::new(), files: 0 };
    reader.file(name, text, 0);
    reader.sections
}

struct Reader<'a> {
    include: &'a Include<'a>,
    import: &'a mut Import,
    sections: Vec<Section>,
    defines: Vec<(String, String)>,
    files: usize,
}

impl Reader<'_> {
    fn file(&mut self, name: &str, text: &str, depth: usize) {
        let mut whole = String::new();
        let mut first = 0;
        for (number, line) in (1_u64..).zip(text.lines()) {
            if whole.is_empty() {
                first = number;
            }
            // A backslash at the end joins lines.
            let (part, goes_on) = match line.trim_end().strip_suffix('\\') {
                Some(part) => (part, true),
                None => (line, false),
            };
            if whole.len() + part.len() <= MAX_LINE {
                whole.push_str(part);
            }
            if !goes_on {
                let place = Place { file: name.to_owned(), line: first };
                self.line(plain(&whole), &place, depth);
                whole.clear();
            }
        }
    }

    fn line(&mut self, line: &str, place: &Place, depth: usize) {
        if let Some(file) = line.strip_prefix("@include") {
            return self.included(file.trim().trim_matches(['"', '\'']), place, depth);
        }
        if let Some((name, value)) =
            line.strip_prefix("@define").and_then(|rest| rest.trim().split_once(char::is_whitespace))
        {
            if self.defines.len() < MAX_DEFINES {
                self.defines.push((name.to_owned(), value.trim().to_owned()));
            }
            return;
        }
        let Some(line) = self.defined(line) else {
            return self.import.refuse(place, "a line", "it is too long with its definitions put in");
        };
        let line = line.as_str();
        if line.is_empty() {
            return;
        }
        if let Some(name) = line.strip_prefix("***").and_then(|rest| rest.strip_suffix("***")) {
            return self.open(1, name.trim(), place);
        }
        let pluses = line.len() - line.trim_start_matches('+').len();
        if pluses > 0 {
            return self.open(pluses + 1, line.trim_start_matches('+').trim(), place);
        }
        match line.split_once('=') {
            Some((name, value)) if !name.trim().is_empty() && !name.trim().contains(char::is_whitespace) => {
                self.set(name.trim(), value.trim(), place);
            }
            _ => {
                // Tables and texts of sections that are none of our business.
                if self.is_targets() {
                    self.import.refuse(place, &shown(line), "this is no section and no variable");
                }
            }
        }
    }

    fn included(&mut self, file: &str, place: &Place, depth: usize) {
        self.files += 1;
        if depth >= MAX_DEPTH || self.files > MAX_FILES {
            let why = format!("files are included {MAX_DEPTH} deep, and {MAX_FILES} of them");
            return self.import.refuse(place, &shown(file), &why);
        }
        match (self.include)(file) {
            Ok((name, text)) => self.file(&name, &text, depth + 1),
            Err(why) => self.import.refuse(place, &shown(file), &why),
        }
    }

    fn defined(&self, line: &str) -> Option<String> {
        let mut line = line.to_owned();
        for (name, value) in &self.defines {
            if line.contains(name.as_str()) {
                let most = line.len() / name.len().max(1) * value.len() + line.len();
                if most > MAX_LINE {
                    return None;
                }
                line = line.replace(name.as_str(), value);
            }
        }
        (line.len() <= MAX_LINE).then_some(line)
    }

    fn open(&mut self, level: usize, name: &str, place: &Place) {
        let deepest = self.sections.last().map_or(1, |last| last.level);
        if level > MAX_LEVEL || self.sections.len() >= MAX_SECTIONS || (level > deepest + 1) {
            let why = "a section is one level below the one before it at most, and there are not too many of them";
            return self.import.refuse(place, &shown(name), why);
        }
        if self.sections.is_empty() && level > 1 {
            self.push(1, "Targets", place);
        }
        self.push(level, name, place);
    }

    fn push(&mut self, level: usize, name: &str, place: &Place) {
        self.sections.push(Section { level, name: name.to_owned(), place: place.clone(), values: HashMap::new() });
    }

    fn set(&mut self, name: &str, value: &str, place: &Place) {
        if self.sections.is_empty() {
            self.push(1, "Targets", place);
        }
        if let Some(section) = self.sections.last_mut() {
            section.values.insert(name.to_owned(), (value.to_owned(), place.clone()));
        }
    }

    fn is_targets(&self) -> bool {
        self.sections.iter().rfind(|section| section.level == 1).is_some_and(|section| section.name == "Targets")
    }
}

/// A line without its comment and the space around it.
fn plain(line: &str) -> &str {
    let comment = line.char_indices().find(|(at, c)| {
        *c == '#' && line.get(..*at).is_none_or(|before| before.is_empty() || before.ends_with(char::is_whitespace))
    });
    comment.and_then(|(at, _)| line.get(..at)).unwrap_or(line).trim()
}
