//! The arguments of one-shot probes: one command for each kind, its options made from the kind's descriptor.

use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};

use netwatch_model::probe::{Family, OptionField, OptionForm, OptionValue, ProbeKind, ProbeSpec, Source};

use super::Format;

/// The arguments of a kind, which is the place of the kind in [`ProbeKind::ALL`].
#[derive(Debug)]
pub struct ProbeArgs<const KIND: usize>(pub OneShot);

/// What is measured once.
#[derive(Debug, Clone)]
pub struct OneShot {
    /// One for each target, with the same settings.
    pub probes: Vec<ProbeSpec>,
    /// How results are printed.
    pub format: Format,
    /// One line and exit codes for Nagios and its kin.
    pub nagios: bool,
}

const GENERAL: &str = "Measurement";

impl<const KIND: usize> Args for ProbeArgs<KIND> {
    fn augment_args(command: Command) -> Command {
        let kind = ProbeKind::ALL[KIND];
        let descriptor = kind.descriptor();
        let target =
            Arg::new("target").value_name("TARGET").required(true).num_args(1..).help(descriptor.target.must());
        // What is read of this machine has nothing to choose.
        let is_own = kind.is_built_in();
        let seconds = |name: &'static str, help: &'static str| {
            Arg::new(name).long(name).value_name("TIME").value_parser(time).help(help)
        };
        let general = [
            Arg::new("count")
                .long("count")
                .short('c')
                .value_name("N")
                .value_parser(clap::value_parser!(u32))
                .help("Packets, queries or cycles"),
            seconds("interval", "Time from one to the next, as 20ms or 1s").short('i'),
            seconds("timeout", "How long an answer is waited for").short('W'),
            Arg::new("source")
                .long("source")
                .short('I')
                .value_name("IF|ADDR")
                .help("Leave from this interface or address"),
            Arg::new("ipv4")
                .long("ipv4")
                .short('4')
                .action(ArgAction::SetTrue)
                .conflicts_with("ipv6")
                .help("IPv4 only"),
            Arg::new("ipv6").long("ipv6").short('6').action(ArgAction::SetTrue).help("IPv6 only"),
            Arg::new("dscp")
                .long("dscp")
                .value_name("0-63")
                .value_parser(clap::value_parser!(u8).range(0..=63))
                .help("Differentiated services code point (RFC 2474)"),
        ];
        let format = Arg::new("format")
            .long("format")
            .value_name("FORMAT")
            .value_parser(clap::value_parser!(Format))
            .default_value("table")
            .help("How results are printed");
        let nagios = Arg::new("nagios")
            .long("nagios")
            .action(ArgAction::SetTrue)
            .conflicts_with("format")
            .help("One line with performance data, and exit codes: 0 OK, 1 WARNING (loss), 2 CRITICAL, 3 UNKNOWN");
        let command = command.arg(format);
        if is_own {
            return command;
        }
        let command = command.arg(target).args(general.map(|arg| arg.help_heading(GENERAL))).arg(nagios);
        command.args(descriptor.options.iter().map(|field| option(field)))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl<const KIND: usize> FromArgMatches for ProbeArgs<KIND> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let kind = ProbeKind::ALL[KIND];
        let format = matches.get_one::<Format>("format").copied().unwrap_or_default();
        if kind.is_built_in() {
            return Ok(Self(OneShot { probes: vec![ProbeSpec::new(kind, "")], format, nagios: false }));
        }
        let targets = matches.get_many::<String>("target").into_iter().flatten();
        let probes = targets.map(|target| spec(kind, target, matches)).collect::<Result<_, _>>()?;
        Ok(Self(OneShot { probes, format, nagios: matches.get_flag("nagios") }))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

fn spec(kind: ProbeKind, target: &str, matches: &ArgMatches) -> Result<ProbeSpec, clap::Error> {
    let mut spec = ProbeSpec::new(kind, target);
    let seconds = |name| matches.get_one::<f64>(name).copied();
    spec.count = matches.get_one("count").copied().unwrap_or_else(|| one_shot_count(kind));
    spec.spacing = seconds("interval").unwrap_or(spec.spacing);
    spec.timeout = seconds("timeout").unwrap_or(spec.timeout);
    spec.source = matches.get_one::<String>("source").cloned().map(Source::from);
    spec.dscp = matches.get_one("dscp").copied().unwrap_or(0);
    spec.family = match (matches.get_flag("ipv4"), matches.get_flag("ipv6")) {
        (true, _) => Family::V4,
        (_, true) => Family::V6,
        _ => Family::Any,
    };
    for field in kind.descriptor().options {
        if let Some(value) = value(field, matches) {
            spec.options.set(field, value);
        }
    }
    let wrong = |error| clap::Error::raw(clap::error::ErrorKind::ValueValidation, format!("{error}\n"));
    spec.check().map_err(wrong)?;
    Ok(spec)
}

/// At a terminal nobody waits for twenty seconds.
fn one_shot_count(kind: ProbeKind) -> u32 {
    match kind {
        ProbeKind::Ping => 5,
        other => other.descriptor().count,
    }
}

fn option(field: &'static OptionField) -> Arg {
    let arg = Arg::new(field.name).long(field.name.replace('_', "-")).help(field.help);
    match field.form {
        OptionForm::Flag(false) => arg.action(ArgAction::SetTrue),
        OptionForm::Flag(true) => arg
            .value_name("BOOL")
            .value_parser(clap::value_parser!(bool))
            .help(format!("{} [default: true]", field.help)),
        OptionForm::Whole { min, max, default } => {
            let help = format!("{} [{min} to {max}; default: {default}]", field.help);
            arg.value_name("N").value_parser(clap::value_parser!(i64).range(min..=max)).help(help)
        }
        OptionForm::Seconds { .. } => arg.value_name("TIME").value_parser(time),
        OptionForm::Text(_) => arg.value_name("TEXT"),
        OptionForm::Secret => arg.value_name("SECRET"),
        OptionForm::Choice(words) => arg.value_name("WORD").value_parser(words.to_vec()),
        OptionForm::Texts => arg.value_name("TEXT").action(ArgAction::Append),
    }
}

fn value(field: &'static OptionField, matches: &ArgMatches) -> Option<OptionValue> {
    let name = field.name;
    match field.form {
        OptionForm::Flag(false) => matches.get_flag(name).then_some(OptionValue::Flag(true)),
        OptionForm::Flag(true) => matches.get_one(name).copied().map(OptionValue::Flag),
        OptionForm::Whole { .. } => matches.get_one(name).copied().map(OptionValue::Whole),
        OptionForm::Seconds { .. } => matches.get_one(name).copied().map(OptionValue::Number),
        OptionForm::Text(_) | OptionForm::Secret | OptionForm::Choice(_) => {
            matches.get_one::<String>(name).cloned().map(OptionValue::Text)
        }
        OptionForm::Texts => {
            let texts = matches.get_many::<String>(name)?;
            Some(OptionValue::Texts(texts.cloned().collect()))
        }
    }
}

/// `20ms`, `1.5s`, `2m`, or seconds.
fn time(text: &str) -> Result<f64, String> {
    let units = [("ms", 1e-3), ("us", 1e-6), ("s", 1.0), ("m", 60.0), ("h", 3600.0)];
    let (number, unit) =
        units.iter().find_map(|(name, unit)| Some((text.strip_suffix(name)?, *unit))).unwrap_or((text, 1.0));
    let seconds = number.trim().parse::<f64>().ok().map(|number| number * unit);
    let fits = seconds.filter(|seconds| seconds.is_finite() && *seconds >= 0.0);
    fits.ok_or_else(|| format!("`{text}` is not a time: write it as 20ms, 1.5s or 2m"))
}

/// The place of a kind, for [`ProbeArgs`].
pub const fn place(kind: ProbeKind) -> usize {
    kind as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(kind: ProbeKind, words: &[&str]) -> Result<OneShot, String> {
        let words = std::iter::once("x").chain(words.iter().copied());
        let parse = |matches: Result<ArgMatches, clap::Error>,
                     from: fn(&ArgMatches) -> Result<OneShot, clap::Error>| {
            matches.and_then(|matches| from(&matches)).map_err(|error| error.to_string())
        };
        match kind {
            ProbeKind::Ping => parse(
                ProbeArgs::<{ place(ProbeKind::Ping) }>::augment_args(Command::new("x")).try_get_matches_from(words),
                |m| ProbeArgs::<{ place(ProbeKind::Ping) }>::from_arg_matches(m).map(|args| args.0),
            ),
            _ => parse(
                ProbeArgs::<{ place(ProbeKind::Http) }>::augment_args(Command::new("x")).try_get_matches_from(words),
                |m| ProbeArgs::<{ place(ProbeKind::Http) }>::from_arg_matches(m).map(|args| args.0),
            ),
        }
    }

    #[test]
    fn what_is_written_is_measured() {
        let ping = read(
            ProbeKind::Ping,
            &["192.0.2.1", "2001:db8::1", "-c", "3", "-i", "20ms", "--size", "100", "--dont-fragment"],
        );
        let ping = ping.expect("it is right");
        let [first, second] = &ping.probes[..] else { panic!("two targets") };
        assert_eq!((first.count, first.spacing, &*second.target), (3, 0.02, "2001:db8::1"));
        assert!(first.options.flag(&netwatch_model::probe::kind::ping::DONT_FRAGMENT));
        let http = read(
            ProbeKind::Http,
            &["https://example.org/", "--expect-status", "200", "--expect-status", "3xx", "--verify", "false"],
        );
        let http = http.expect("it is right").probes.remove(0);
        assert_eq!(http.options.texts(&netwatch_model::probe::kind::http::STATUS), ["200", "3xx"]);
        assert!(!http.options.flag(&netwatch_model::probe::kind::http::VERIFY));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let wrong = |kind, words: &[&str]| read(kind, words).expect_err("it is wrong");
        assert!(wrong(ProbeKind::Ping, &["192.0.2.1", "-i", "soon"]).contains("is not a time"));
        assert!(wrong(ProbeKind::Ping, &["a b"]).contains("is not a host name or an address"));
        assert!(wrong(ProbeKind::Http, &["example.org"]).contains("http://"));
        assert!(wrong(ProbeKind::Ping, &["192.0.2.1", "--size", "4"]).contains("16"));
    }
}
