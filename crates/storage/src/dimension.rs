//! What flows can be grouped by.

/// Something by which flows are told apart.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub enum Dimension {
    /// Each address, whichever side it was on; each octet counts for both ends.
    Host,
    /// The initiator's address.
    Source,
    /// The responder's address.
    Destination,
    /// The initiator's port.
    SourcePort,
    /// The responder's port with its protocol, as `443/tcp`.
    Port,
    /// The IP protocol.
    Protocol,
    /// The application.
    Application,
    /// The name of the service.
    Name,
    /// The local process.
    Process,
    /// The user of the process.
    User,
    /// The container of the process.
    Container,
    /// The interface or capture file.
    Interface,
    /// The VLAN stack.
    Vlan,
    /// The agent that observed.
    Agent,
    /// The country of the initiator's address.
    SourceCountry,
    /// The country of the responder's address.
    DestinationCountry,
    /// The autonomous system of the initiator's address.
    SourceAsn,
    /// The autonomous system of the responder's address.
    DestinationAsn,
    /// The named range of the initiator's address.
    SourceNetwork,
    /// The named range of the responder's address.
    DestinationNetwork,
}

impl Dimension {
    /// All of them.
    pub const ALL: [Self; 20] = [
        Self::Host,
        Self::Source,
        Self::Destination,
        Self::SourcePort,
        Self::Port,
        Self::Protocol,
        Self::Application,
        Self::Name,
        Self::Process,
        Self::User,
        Self::Container,
        Self::Interface,
        Self::Vlan,
        Self::Agent,
        Self::SourceCountry,
        Self::DestinationCountry,
        Self::SourceAsn,
        Self::DestinationAsn,
        Self::SourceNetwork,
        Self::DestinationNetwork,
    ];

    /// The word used in every surface.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Source => "source",
            Self::Destination => "destination",
            Self::SourcePort => "source_port",
            Self::Port => "port",
            Self::Protocol => "protocol",
            Self::Application => "application",
            Self::Name => "name",
            Self::Process => "process",
            Self::User => "user",
            Self::Container => "container",
            Self::Interface => "interface",
            Self::Vlan => "vlan",
            Self::Agent => "agent",
            Self::SourceCountry => "source_country",
            Self::DestinationCountry => "destination_country",
            Self::SourceAsn => "source_asn",
            Self::DestinationAsn => "destination_asn",
            Self::SourceNetwork => "source_network",
            Self::DestinationNetwork => "destination_network",
        }
    }

    /// The number by which sums of flows name it; `None` for those that are not summed ahead.
    pub(crate) const fn code(self) -> Option<u8> {
        Some(match self {
            Self::Host => 1,
            Self::Source => 2,
            Self::Destination => 3,
            Self::Port => 4,
            Self::Protocol => 5,
            Self::Application => 6,
            Self::Name => 7,
            Self::Process => 8,
            Self::Interface => 9,
            Self::Vlan => 10,
            Self::Agent => 11,
            _ => return None,
        })
    }

    /// Whether its values are texts.
    pub(crate) const fn is_text(self) -> bool {
        matches!(self, Self::Application | Self::Name | Self::Process | Self::User | Self::Container | Self::Interface)
    }

    /// What is looked up of an address, and of which side.
    pub(crate) const fn lookup(self) -> Option<(Side, Lookup)> {
        Some(match self {
            Self::SourceCountry => (Side::Source, Lookup::Country),
            Self::DestinationCountry => (Side::Destination, Lookup::Country),
            Self::SourceAsn => (Side::Source, Lookup::Asn),
            Self::DestinationAsn => (Side::Destination, Lookup::Asn),
            Self::SourceNetwork => (Side::Source, Lookup::Network),
            Self::DestinationNetwork => (Side::Destination, Lookup::Network),
            _ => return None,
        })
    }
}

/// The end of a conversation.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Side {
    Source,
    Destination,
}

/// What is known about an address from files of the user.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Lookup {
    Country,
    Asn,
    Network,
}

/// The sum of everything, beside the dimensions.
pub(crate) const TOTAL: u8 = 0;
