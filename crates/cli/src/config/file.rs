//! Reading configuration files, with the place of every key and value.

use std::fmt;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use netwatch_model::filter::nearest;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{Location, Spanned};

use super::key::{KEYS, Key, SECTIONS};
use super::{Layers, Origin, Raw, unknown};

const MAX_FILE: u64 = 1 << 20;
const MAX_FILES: usize = 64;
/// The file of the machine.
const SYSTEM: &str = "/etc/netwatch/netwatch.yaml";

/// Reads the main file and `conf.d` into `layers`.
pub fn load(layers: &mut Layers, named: Option<&Path>, environment: &[(String, String)]) {
    let main = match named {
        Some(path) => Some(path.to_owned()),
        None => usual_places(environment).into_iter().find(|p| p.exists()),
    };
    let Some(main) = main else { return };
    read_into(layers, &main);
    let Some(folder) = main.parent().map(|p| p.join("conf.d")) else { return };
    for path in drop_ins(layers, &folder) {
        read_into(layers, &path);
    }
}

/// Where the file is looked for without `--config`, in this order.
pub fn usual_places(environment: &[(String, String)]) -> Vec<PathBuf> {
    let get = |name: &str| environment.iter().find(|(n, v)| n == name && !v.is_empty()).map(|(_, v)| PathBuf::from(v));
    let home = get("XDG_CONFIG_HOME").filter(|p| p.is_absolute()).or_else(|| Some(get("HOME")?.join(".config")));
    home.map(|h| h.join("netwatch/netwatch.yaml")).into_iter().chain([PathBuf::from(SYSTEM)]).collect()
}

/// The `*.yaml` of the folder by name. That there is no folder is no fault.
fn drop_ins(layers: &mut Layers, folder: &Path) -> Vec<PathBuf> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(e) => {
            if e.kind() != std::io::ErrorKind::NotFound {
                layers.fault(place(folder, Location::UNKNOWN), format!("cannot be listed: {e}"));
            }
            return Vec::new();
        }
    };
    let yaml = |p: &PathBuf| p.extension().is_some_and(|e| e == "yaml") && p.is_file();
    let mut paths: Vec<PathBuf> = entries.filter_map(|e| e.ok().map(|e| e.path())).filter(yaml).collect();
    paths.sort();
    if paths.len() > MAX_FILES {
        layers.fault(place(folder, Location::UNKNOWN), format!("more than {MAX_FILES} files: join some of them"));
        paths.truncate(MAX_FILES);
    }
    paths
}

fn read_into(layers: &mut Layers, path: &Path) {
    let text = match read(path) {
        Ok(text) => text,
        Err(message) => return layers.fault(place(path, Location::UNKNOWN), message),
    };
    layers.files.push(path.to_owned());
    apply(layers, path, &text);
}

fn read(path: &Path) -> Result<String, String> {
    let file = fs::File::open(path).map_err(|e| format!("cannot be read: {e}"))?;
    let mut bytes = Vec::new();
    file.take(MAX_FILE + 1).read_to_end(&mut bytes).map_err(|e| format!("cannot be read: {e}"))?;
    if bytes.len() as u64 > MAX_FILE {
        return Err("is longer than 1 MiB: is this a configuration file?".to_owned());
    }
    String::from_utf8(bytes).map_err(|_| "is not UTF-8 text".to_owned())
}

/// Reads the text of the file `path` into `layers`.
pub fn apply(layers: &mut Layers, path: &Path, text: &str) {
    let document = match serde_saphyr::from_str::<Option<Document>>(text) {
        Ok(document) => document.unwrap_or_default(),
        Err(e) => {
            let at = e.location().unwrap_or(Location::UNKNOWN);
            let plain = e.without_snippet().to_string();
            let first = plain.lines().next().unwrap_or("not valid YAML").to_owned();
            return layers.fault(place(path, at), first);
        }
    };
    for (section, Section(keys)) in document.0 {
        if !SECTIONS.iter().any(|(name, _)| *name == section.value) {
            let near = nearest(&section.value, SECTIONS.iter().map(|(name, _)| *name));
            let home = KEYS.iter().find(|d| d.name == section.value).map(super::key::Descriptor::path);
            let message = unknown("section", &section.value, home.as_deref().or(near));
            layers.fault(place(path, section.referenced), message);
            continue;
        }
        for (name, value) in keys {
            let origin = place(path, name.referenced);
            match Key::from_path(&format!("{}.{}", section.value, name.value)) {
                None => {
                    let siblings = KEYS.iter().filter(|d| d.section == section.value).map(|d| d.name);
                    let message =
                        unknown(&format!("key in {}:", section.value), &name.value, nearest(&name.value, siblings));
                    layers.fault(origin, message);
                }
                // A key without a value is as good as no key.
                Some(key) => {
                    if let Some(raw) = value.value.0 {
                        layers.set(key, &raw, place(path, value.referenced));
                    }
                }
            }
        }
    }
}

fn place(path: &Path, at: Location) -> Origin {
    Origin::File { path: path.to_owned(), line: at.line(), column: at.column() }
}

/// Sections in the order of the file.
#[derive(Debug, Default)]
struct Document(Vec<(Spanned<String>, Section)>);

/// Keys in the order of the file.
#[derive(Debug, Default)]
struct Section(Vec<(Spanned<String>, Spanned<Node>)>);

/// A value, or nothing.
#[derive(Debug)]
struct Node(Option<Raw>);

/// Reads a map into pairs, keeping order and places.
struct Pairs<V> {
    expected: &'static str,
    value: std::marker::PhantomData<V>,
}

impl<'de, V: Deserialize<'de>> Visitor<'de> for Pairs<V> {
    type Value = Vec<(Spanned<String>, V)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expected)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut pairs = Vec::new();
        while let Some(pair) = map.next_entry()? {
            pairs.push(pair);
        }
        Ok(pairs)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Vec::new())
    }
}

impl<'de> Deserialize<'de> for Document {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let visitor = Pairs { expected: "sections such as `capture:`", value: std::marker::PhantomData };
        d.deserialize_map(visitor).map(Self)
    }
}

impl<'de> Deserialize<'de> for Section {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let visitor = Pairs { expected: "keys with values, indented", value: std::marker::PhantomData };
        d.deserialize_map(visitor).map(Self)
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        d.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value or a list of values")
    }

    fn visit_str<E>(self, text: &str) -> Result<Node, E> {
        Ok(Node(Some(Raw::Scalar(text.to_owned()))))
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Node, E> {
        Ok(Node(Some(Raw::Scalar(flag.to_string()))))
    }

    fn visit_i64<E>(self, n: i64) -> Result<Node, E> {
        Ok(Node(Some(Raw::Scalar(n.to_string()))))
    }

    fn visit_u64<E>(self, n: u64) -> Result<Node, E> {
        Ok(Node(Some(Raw::Scalar(n.to_string()))))
    }

    fn visit_f64<E>(self, n: f64) -> Result<Node, E> {
        Ok(Node(Some(Raw::Scalar(n.to_string()))))
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node(None))
    }

    fn visit_none<E>(self) -> Result<Node, E> {
        Ok(Node(None))
    }

    fn visit_some<D: Deserializer<'de>>(self, d: D) -> Result<Node, D::Error> {
        d.deserialize_any(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Node, A::Error> {
        let mut list = Vec::new();
        while let Some(Node(element)) = seq.next_element()? {
            match element {
                Some(Raw::Scalar(text)) => list.push(text),
                _ => return Err(serde::de::Error::custom("a list holds plain values only")),
            }
        }
        Ok(Node(Some(Raw::List(list))))
    }
}
