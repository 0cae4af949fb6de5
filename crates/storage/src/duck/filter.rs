//! Filters of the filter language as conditions of SQL: fields become expressions of this file, values are bound.
//!
//! The meaning is that of [`netwatch_model::filter`]: a value that is absent fits no comparison, and a negated test is the exact
//! opposite. So every test is made either true or false before it is negated.

use duckdb::types::Value;
use netwatch_model::NameSource;
use netwatch_model::filter::{Comparison, Condition, Expr, Field, Filter, Glob, Kind, Network, Test};

use crate::address::bounds;

/// A condition and the values of its places, in order.
#[derive(Debug, Default)]
pub(crate) struct Clause {
    pub(crate) sql: String,
    pub(crate) values: Vec<Value>,
}

impl Clause {
    /// The condition of a filter.
    pub(crate) fn of(filter: &Filter) -> Self {
        let mut clause = Self::default();
        clause.expr(filter.expr());
        clause
    }

    fn place(&mut self, value: Value) {
        self.sql.push('?');
        self.values.push(value);
    }

    fn expr(&mut self, expr: &Expr) {
        match expr {
            Expr::And(list) => self.list(list, " AND ", "true"),
            Expr::Or(list) => self.list(list, " OR ", "false"),
            Expr::Not(inner) => {
                self.sql.push_str("NOT ");
                self.expr(inner);
            }
            Expr::Test(test) => self.test(test),
        }
    }

    fn list(&mut self, list: &[Expr], between: &str, none: &str) {
        self.sql.push('(');
        self.each(list, between, none, |c, e| c.expr(e));
        self.sql.push(')');
    }

    fn each<T>(&mut self, list: &[T], between: &str, none: &str, mut write: impl FnMut(&mut Self, &T)) {
        if list.is_empty() {
            self.sql.push_str(none);
        }
        for (n, item) in list.iter().enumerate() {
            if n > 0 {
                self.sql.push_str(between);
            }
            write(self, item);
        }
    }

    fn test(&mut self, test: &Test) {
        self.sql.push_str(if test.negated { "NOT coalesce(" } else { "coalesce(" });
        match (test.field, test.field.descriptor().kind) {
            (Field::Source, _) => self.address(&test.condition, "src"),
            (Field::Destination, _) => self.address(&test.condition, "dst"),
            (_, Kind::Address) => {
                self.sql.push('(');
                self.address(&test.condition, "src");
                self.sql.push_str(" OR ");
                self.address(&test.condition, "dst");
                self.sql.push(')');
            }
            (field, kind @ (Kind::Name | Kind::Text)) => {
                self.text(&test.condition, text(field), matches!(kind, Kind::Name));
            }
            (Field::Port, _) => {
                self.sql.push_str("(protocol IN (6, 17, 33, 132, 136) AND (");
                self.number(&test.condition, "src_port");
                self.sql.push_str(" OR ");
                self.number(&test.condition, "dst_port");
                self.sql.push_str("))");
            }
            (Field::Vlan, _) => {
                self.sql.push('(');
                self.each(&[0_u8, 1, 2, 3], " OR ", "false", |c, n| {
                    c.sql.push_str(&format!("(vlan >> 48 > {n} AND "));
                    c.number(&test.condition, &format!("(vlan >> {} & 4095)", u32::from(*n) * 12));
                    c.sql.push(')');
                });
                self.sql.push(')');
            }
            (field, _) => self.number(&test.condition, number(field)),
        }
        self.sql.push_str(", false)");
    }

    fn number(&mut self, condition: &Condition, expr: &str) {
        match condition {
            Condition::Present => self.sql.push_str(&format!("{expr} IS NOT NULL")),
            Condition::Number(comparison, n) => {
                self.sql.push_str(&format!("{expr} {} ", operator(*comparison)));
                self.place(Value::UBigInt(*n));
            }
            Condition::Ranges(list) => {
                self.sql.push('(');
                self.each(list, " OR ", "false", |c, (low, high)| {
                    c.sql.push_str(&format!("{expr} BETWEEN "));
                    c.place(Value::UBigInt(*low));
                    c.sql.push_str(" AND ");
                    c.place(Value::UBigInt(*high));
                });
                self.sql.push(')');
            }
            _ => self.sql.push_str("false"),
        }
    }

    fn address(&mut self, condition: &Condition, side: &str) {
        match condition {
            Condition::Present => self.sql.push_str("true"),
            Condition::Networks(list) => {
                self.sql.push('(');
                self.each(list, " OR ", "false", |c, network| c.network(network, side));
                self.sql.push(')');
            }
            _ => self.sql.push_str("false"),
        }
    }

    fn network(&mut self, network: &Network, side: &str) {
        let ((low_hi, low_lo), (high_hi, high_lo)) = bounds(network);
        self.sql.push_str(&format!("({side}_hi BETWEEN "));
        self.place(Value::UBigInt(low_hi));
        self.sql.push_str(" AND ");
        self.place(Value::UBigInt(high_hi));
        if low_hi == high_hi {
            self.sql.push_str(&format!(" AND {side}_lo BETWEEN "));
            self.place(Value::UBigInt(low_lo));
            self.sql.push_str(" AND ");
            self.place(Value::UBigInt(high_lo));
        }
        if network.address().is_ipv6() {
            // IPv4 addresses are stored as IPv4-mapped ones, and never fit a network of IPv6.
            self.sql.push_str(&format!(" AND NOT ({side}_hi = 0 AND {side}_lo >> 32 = 65535)"));
        }
        self.sql.push(')');
    }

    fn text(&mut self, condition: &Condition, expr: &str, any_case: bool) {
        match condition {
            Condition::Present => self.sql.push_str(&format!("{expr} IS NOT NULL")),
            Condition::Texts(list) => {
                let folded = if any_case { lower(expr) } else { expr.to_owned() };
                self.sql.push_str(&format!("{folded} IN ("));
                self.each(list, ", ", "NULL", |c, text| {
                    c.place(Value::Text(if any_case { text.to_ascii_lowercase() } else { text.clone() }));
                });
                self.sql.push(')');
            }
            Condition::Like(glob) => {
                self.sql.push_str(&format!("{} LIKE ", lower(expr)));
                self.place(Value::Text(pattern(glob)));
                self.sql.push_str(" ESCAPE '\\'");
            }
            _ => self.sql.push_str("false"),
        }
    }
}

/// ASCII letters in lower case, as the filter language folds them.
fn lower(expr: &str) -> String {
    format!("translate({expr}, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz')")
}

/// A pattern of the filter language as one of LIKE.
pub(crate) fn pattern(glob: &Glob) -> String {
    let mut out = String::new();
    let mut rest = glob.as_str().chars().peekable();
    while let Some(c) = rest.next() {
        let literal = match c {
            '*' => {
                out.push('%');
                continue;
            }
            '?' => {
                out.push('_');
                continue;
            }
            '\\' => rest.next_if(|n| matches!(n, '*' | '?' | '\\')).unwrap_or('\\'),
            c => c.to_ascii_lowercase(),
        };
        if matches!(literal, '%' | '_' | '\\') {
            out.push('\\');
        }
        out.push(literal);
    }
    out
}

const fn operator(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::Equal => "=",
        Comparison::Less => "<",
        Comparison::LessOrEqual => "<=",
        Comparison::Greater => ">",
        Comparison::GreaterOrEqual => ">=",
    }
}

const fn text(field: Field) -> &'static str {
    const { assert!(NameSource::Dns as u8 == 0 && NameSource::Http as u8 == 1 && NameSource::Tls as u8 == 3) };
    match field {
        Field::Application => "application",
        Field::Name => "name",
        Field::Sni => "(CASE WHEN name_source IN (2, 3) THEN name END)",
        Field::Dns => "(CASE WHEN name_source = 0 THEN name END)",
        Field::HttpHost => "(CASE WHEN name_source = 1 THEN name END)",
        Field::Process => "process",
        Field::User => "usr",
        Field::Container => "container",
        Field::Interface => "interface",
        _ => "NULL::VARCHAR",
    }
}

const fn number(field: Field) -> &'static str {
    match field {
        Field::SourcePort => "src_port",
        Field::DestinationPort => "dst_port",
        Field::Protocol => "protocol",
        Field::IcmpType => "(CASE WHEN protocol IN (1, 58) THEN dst_port // 256 END)",
        Field::IcmpCode => "(CASE WHEN protocol IN (1, 58) THEN dst_port % 256 END)",
        Field::Tunnel => "tunnel",
        Field::TunnelId => "tunnel_id",
        Field::NameSource => "name_source",
        Field::Pid => "pid",
        Field::State => "state",
        // Stored as in IPFIX, from 1.
        Field::EndReason => "(reason - 1)",
        Field::Id => "(slot::UBIGINT * 4294967296 + generation)",
        Field::Start => "(greatest(ended - lasted::BIGINT, 0) * 1000000)",
        Field::End => "(greatest(ended, 0) * 1000000)",
        Field::Duration => "(lasted * 1000000)",
        Field::Rate => "((f_octets + r_octets)::HUGEINT * 8000 // greatest(lasted, 1000))",
        _ => volume(field),
    }
}

const fn volume(field: Field) -> &'static str {
    match field {
        Field::Bytes => "(f_octets + r_octets)",
        Field::ForwardBytes => "f_octets",
        Field::ReverseBytes => "r_octets",
        Field::BytesIn => super::rows::OCTETS_IN,
        Field::BytesOut => super::rows::OCTETS_OUT,
        Field::Packets => "(f_packets + r_packets)",
        Field::ForwardPackets => "f_packets",
        Field::ReversePackets => "r_packets",
        Field::Rtt => "((server_rtt::UBIGINT + client_rtt) * 1000)",
        Field::ServerRtt => "(server_rtt::UBIGINT * 1000)",
        Field::ClientRtt => "(client_rtt::UBIGINT * 1000)",
        Field::ResponseTime => "(response_time::UBIGINT * 1000)",
        Field::Retransmitted => "(retransmitted::UBIGINT + r_retransmitted)",
        Field::OutOfOrder => "(out_of_order::UBIGINT + r_out_of_order)",
        Field::Duplicates => "(duplicates::UBIGINT + r_duplicates)",
        Field::ZeroWindows => "(zero_windows::UBIGINT + r_zero_windows)",
        _ => "NULL::UBIGINT",
    }
}
