//! Interface, VLAN stack and tunnel of a flow, as one small number.
//!
//! Flows of one interface without tag or tunnel, nearly all flows, need no look-up. The table holds [`Contexts::MAX`] entries; what
//! comes after that is counted and joins the plain context of its interface.

use hashbrown::HashMap;
use netwatch_model::{Tunnel, VlanStack};

use crate::frame::InterfaceIndex;

/// A context's number.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ContextId(pub u16);

/// What a context stands for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Context {
    /// Where the frames were captured.
    pub interface: InterfaceIndex,
    /// VLAN identifiers of the frame.
    pub vlan: VlanStack,
    /// The tunnel, for packets inside one.
    pub tunnel: Option<Tunnel>,
}

/// All contexts seen by one worker.
#[derive(Debug, Default)]
pub struct Contexts {
    known: HashMap<Context, ContextId, foldhash::fast::RandomState>,
    list: Vec<Context>,
    overflowed: u64,
}

impl Contexts {
    /// The first 256 numbers are the plain contexts of the interfaces.
    const PLAIN: usize = 256;
    /// Largest number of contexts.
    pub const MAX: usize = 1 << 15;

    /// The context of frames without tunnel.
    #[inline]
    pub fn plain(&mut self, interface: InterfaceIndex, vlan: &VlanStack) -> ContextId {
        if vlan.is_empty() {
            return ContextId(u16::from(interface.0));
        }
        self.find(Context { interface, vlan: *vlan, tunnel: None })
    }

    /// The context of packets inside a tunnel.
    pub fn tunnel(&mut self, interface: InterfaceIndex, vlan: &VlanStack, tunnel: Tunnel) -> ContextId {
        self.find(Context { interface, vlan: *vlan, tunnel: Some(tunnel) })
    }

    /// What a number stands for.
    #[must_use]
    pub fn get(&self, id: ContextId) -> Context {
        let at = usize::from(id.0);
        let plain = Context { interface: InterfaceIndex(id.0.to_le_bytes()[0]), vlan: VlanStack::EMPTY, tunnel: None };
        at.checked_sub(Self::PLAIN).and_then(|i| self.list.get(i)).copied().unwrap_or(plain)
    }

    /// Frames whose context had no place of its own.
    #[must_use]
    pub const fn overflowed(&self) -> u64 {
        self.overflowed
    }

    fn find(&mut self, context: Context) -> ContextId {
        if let Some(id) = self.known.get(&context) {
            return *id;
        }
        let next = self.list.len() + Self::PLAIN;
        match u16::try_from(next) {
            Ok(n) if next < Self::MAX => {
                self.list.push(context);
                self.known.insert(context, ContextId(n));
                ContextId(n)
            }
            _ => {
                self.overflowed += 1;
                // Tunnels must stay apart from outer traffic: inner packets share the last context.
                match context.tunnel {
                    Some(_) => ContextId(u16::try_from(Self::MAX - 1).unwrap_or(u16::MAX)),
                    None => ContextId(u16::from(context.interface.0)),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use netwatch_model::TunnelKind;

    #[test]
    fn contexts_are_bounded() {
        let mut all = Contexts::default();
        let vni = |id| Tunnel { kind: TunnelKind::Vxlan, id };
        for id in 0..100_000 {
            all.tunnel(InterfaceIndex(1), &VlanStack::EMPTY, vni(id));
        }
        assert_eq!(all.list.len(), Contexts::MAX - Contexts::PLAIN);
        assert!(all.overflowed() > 60_000);
        let id = all.tunnel(InterfaceIndex(1), &VlanStack::EMPTY, vni(7));
        assert_eq!(all.get(id).tunnel, Some(vni(7)));
        assert_eq!(all.plain(InterfaceIndex(3), &VlanStack::EMPTY), ContextId(3));
        assert_eq!(all.get(ContextId(3)).interface, InterfaceIndex(3));
    }
}
