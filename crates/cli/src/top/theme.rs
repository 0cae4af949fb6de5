//! Colours: few, each with a meaning, never alone.

use ratatui::style::{Color, Modifier, Style};

/// Styles by meaning.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Theme {
    /// Ordinary text.
    pub text: Style,
    /// What is less important.
    pub faint: Style,
    /// Headings, the selected tab.
    pub accent: Style,
    /// The selected row.
    pub selected: Style,
    /// Received.
    pub inbound: Style,
    /// Sent.
    pub outbound: Style,
    /// All is well.
    pub good: Style,
    /// Something is incomplete.
    pub warning: Style,
    /// Something does not work.
    pub critical: Style,
}

/// How many colours a terminal has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Depth {
    /// `NO_COLOR`, or a terminal without.
    None,
    /// The sixteen of the terminal's own palette.
    Sixteen,
    /// 256.
    Many,
}

impl Depth {
    /// By `TERM` and `COLORTERM`.
    pub fn of(term: &str, colorterm: &str, colored: bool) -> Self {
        if !colored || term == "dumb" || term.is_empty() {
            return Self::None;
        }
        let many = term.contains("256color") || matches!(colorterm, "truecolor" | "24bit");
        if many { Self::Many } else { Self::Sixteen }
    }
}

impl Theme {
    /// The theme for that many colours.
    pub const fn new(depth: Depth) -> Self {
        let plain = Style::new();
        let bold = Style::new().add_modifier(Modifier::BOLD);
        let dim = Style::new().add_modifier(Modifier::DIM);
        // Okabe-Ito: sky blue, orange, bluish green, yellow, vermilion.
        let colors = match depth {
            Depth::None => None,
            Depth::Sixteen => Some([Color::Cyan, Color::Blue, Color::Green, Color::Yellow, Color::Red]),
            Depth::Many => Some([
                Color::Indexed(74),
                Color::Indexed(172),
                Color::Indexed(36),
                Color::Indexed(220),
                Color::Indexed(166),
            ]),
        };
        let Some([blue, orange, green, yellow, red]) = colors else {
            let reversed = Style::new().add_modifier(Modifier::REVERSED);
            return Self {
                text: plain,
                faint: dim,
                accent: bold,
                selected: reversed,
                inbound: plain,
                outbound: plain,
                good: plain,
                warning: bold,
                critical: bold,
            };
        };
        Self {
            text: plain,
            faint: dim,
            accent: bold.fg(blue),
            selected: Style::new().add_modifier(Modifier::REVERSED),
            inbound: plain.fg(blue),
            outbound: plain.fg(orange),
            good: plain.fg(green),
            warning: plain.fg(yellow),
            critical: bold.fg(red),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_follows_the_terminal() {
        assert_eq!(Depth::of("xterm-256color", "", true), Depth::Many);
        assert_eq!(Depth::of("linux", "", true), Depth::Sixteen);
        assert_eq!(Depth::of("xterm", "truecolor", true), Depth::Many);
        assert_eq!(Depth::of("xterm-256color", "", false), Depth::None);
        assert_eq!(Depth::of("dumb", "", true), Depth::None);
        let theme = Theme::new(Depth::None);
        assert!([theme.accent, theme.critical, theme.inbound].iter().all(|s| s.fg.is_none() && s.bg.is_none()));
    }
}
