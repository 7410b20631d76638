//! Sessions: who is online with which address, and what the NAS says about it.

use super::event::{Accounting, Login, Outlet, Status};
use super::subs::{self, Kind, NONE};
use super::{Task, World};
use crate::error::SimError;
use crate::plan::Profile;

/// Share of subscribers that log in at the beginning; the others wait, so that freed addresses find a taker.
const FIRST_ONLINE: f64 = 0.9;
/// Share of log-outs whose address passes to a waiting subscriber within milliseconds.
const HANDOVER: f64 = 0.3;
/// Milliseconds from the power loss of a NAS to its Accounting-On.
const REBOOT_MS: i64 = 800;
/// Acct-Terminate-Cause: User-Request, Lost-Carrier, Idle-Timeout, Session-Timeout.
const CAUSES: [u32; 4] = [1, 2, 4, 5];

impl World {
    pub(super) fn plan_first_logins(&mut self) {
        let ramp = self.plan.ramp_ms();
        let mean = self.plan.session_mean_ms() as f64;
        for sub in 0..self.subs.len() as u32 {
            self.set_waiting(sub);
            let soon = self.rng.chance(FIRST_ONLINE);
            let at = if soon { self.rng.between(0, ramp) } else { ramp + self.rng.exponential(mean) as i64 };
            self.note(at, Task::Login { sub, turn: 0, slot: None });
        }
    }

    pub(super) fn perform<O: Outlet>(&mut self, task: Task, out: &mut O) -> Result<(), SimError> {
        let turn_of = |world: &World, sub: u32| world.subs[sub as usize].turn;
        match task {
            Task::Login { sub, turn, slot } => self.login(sub, turn, slot, out),
            Task::Logout { sub, turn } if turn_of(self, sub) == turn => self.logout(sub, true, out),
            Task::Interim { sub, turn } if turn_of(self, sub) == turn => self.interim(sub, out),
            Task::Bind { sub, turn } if turn_of(self, sub) == turn => self.bind_address(sub, out),
            Task::Logout { .. } | Task::Interim { .. } | Task::Bind { .. } => Ok(()),
            Task::Reboot { realm } => self.reboot(realm, out),
            Task::NasUp { realm } => self.nas_up(realm, out),
            Task::Send { realm, request } => {
                self.tally.requests += 1;
                out.accounting(realm, *request)
            }
        }
    }

    fn set_waiting(&mut self, sub: u32) {
        let s = &mut self.subs[sub as usize];
        let list = &mut self.sites[s.realm].offline[s.kind as usize];
        s.waiting_at = list.len() as u32;
        list.push(sub);
    }

    fn unset_waiting(&mut self, sub: u32) {
        let s = &mut self.subs[sub as usize];
        let (realm, kind, at) = (s.realm, s.kind as usize, std::mem::replace(&mut s.waiting_at, NONE));
        let list = &mut self.sites[realm].offline[kind];
        if (at as usize) < list.len() {
            list.swap_remove(at as usize);
            if let Some(moved) = list.get(at as usize).copied() {
                self.subs[moved as usize].waiting_at = at;
            }
        }
    }

    fn slot_pool(kind: Kind) -> usize {
        // A bound subscriber has an inside address like everybody behind the NAT44.
        if kind == Kind::Bound { Kind::Nat44 as usize } else { kind as usize }
    }

    fn login<O: Outlet>(&mut self, sub: u32, turn: u32, reserved: Option<u32>, out: &mut O) -> Result<(), SimError> {
        let (realm, kind, k, current) = {
            let s = &self.subs[sub as usize];
            (s.realm, s.kind, s.k, s.turn)
        };
        if current != turn || !self.sites[realm].up {
            if let Some(slot) = reserved {
                self.sites[realm].slots[Self::slot_pool(kind)].push_back(slot);
            }
            if current == turn {
                let again = self.now + self.rng.between(REBOOT_MS, 5_000);
                self.note(again, Task::Login { sub, turn, slot: None });
            }
            return Ok(());
        }
        let site = &mut self.sites[realm];
        let Some(slot) = reserved.or_else(|| site.slots[Self::slot_pool(kind)].pop_front()) else {
            let again = self.now + 1_000;
            self.note(again, Task::Login { sub, turn, slot: None });
            return Ok(());
        };
        let number = site.next_session;
        site.next_session += 1;
        let (framed, prefix, delegated) = subs::addresses(&site.desc, kind, slot);
        let login = Login {
            account: subs::account(self.plan.profile, k),
            caller: subs::caller(self.plan.profile, realm, k),
            called: called(self.plan.profile, site.desc.name),
            session: format!("{:02x}{number:08x}", site.boot & 0xff),
            nas_port: k + 1,
            framed,
            plain: kind == Kind::Plain,
            prefix,
            delegated,
            start: self.now,
        };
        if waiting(&self.subs, sub) {
            self.unset_waiting(sub);
        }
        let speed = (u64::from(self.rng.below(400_000)), u64::from(self.rng.below(8_000_000)));
        let s = &mut self.subs[sub as usize];
        s.turn += 1;
        s.slot = slot;
        s.speed = speed;
        let turn = s.turn;
        let request = accounting(Status::Start, self.now, Some(login.clone()));
        s.login = Some(Box::new(login));
        self.tally.sessions += 1;
        let length = self.rng.exponential(self.plan.session_mean_ms() as f64).max(1_000.0) as i64;
        self.note(self.now.saturating_add(length), Task::Logout { sub, turn });
        self.note(self.now.saturating_add(self.plan.interim_interval_ms()), Task::Interim { sub, turn });
        if kind == Kind::Bound {
            let soon = self.now + self.rng.between(60, 90);
            self.note(soon, Task::Bind { sub, turn });
        }
        self.send(realm, request, out)
    }

    fn send<O: Outlet>(&mut self, realm: usize, mut request: Accounting, out: &mut O) -> Result<(), SimError> {
        if self.rng.chance(self.plan.late_accounting) && !self.sites[realm].desc.leases {
            request.delay_s = 1 + self.rng.below(3);
            let at = self.now + 1_000 * i64::from(request.delay_s);
            self.note(at, Task::Send { realm, request: Box::new(request) });
            return Ok(());
        }
        self.tally.requests += 1;
        out.accounting(realm, request)
    }

    fn interim<O: Outlet>(&mut self, sub: u32, out: &mut O) -> Result<(), SimError> {
        let s = &self.subs[sub as usize];
        let (realm, turn) = (s.realm, s.turn);
        let Some(request) = self.with_volume(Status::Interim, sub) else { return Ok(()) };
        self.note(self.now.saturating_add(self.plan.interim_interval_ms()), Task::Interim { sub, turn });
        self.send(realm, request, out)
    }

    fn with_volume(&self, status: Status, sub: u32) -> Option<Accounting> {
        let s = self.subs.get(sub as usize)?;
        let login = s.login.as_deref()?.clone();
        let ms = u64::try_from(self.now - login.start).unwrap_or(0);
        let mut request = accounting(status, self.now, Some(login));
        request.octets_in = s.speed.0.saturating_mul(ms) / 1_000;
        // Heavy users pass 4 GiB, which takes the Gigawords attribute.
        request.octets_out = s.speed.1.saturating_mul(ms) / 1_000 + if s.k % 10 == 0 { 5 << 32 } else { 0 };
        Some(request)
    }

    /// Ends a session and all its mappings; `orderly` with a Stop.
    fn logout<O: Outlet>(&mut self, sub: u32, orderly: bool, out: &mut O) -> Result<(), SimError> {
        self.close_all(sub, out)?;
        let cause = CAUSES[self.rng.below(CAUSES.len() as u32) as usize % CAUSES.len()];
        let stop = self.with_volume(Status::Stop, sub).map(|mut r| {
            r.cause = cause;
            r
        });
        let s = &mut self.subs[sub as usize];
        let (realm, slot) = (s.realm, s.slot);
        s.turn += 1;
        let turn = s.turn;
        let Some(login) = s.login.take() else { return Ok(()) };
        out.login_truth(realm, &login, Some(self.now))?;
        if let Some(request) = stop.filter(|_| orderly) {
            self.send(realm, request, out)?;
        }
        self.pass_on(sub, slot, orderly);
        let pause = if orderly {
            self.rng.exponential(self.plan.session_mean_ms() as f64 / 9.0).max(200.0) as i64
        } else {
            REBOOT_MS + self.rng.between(200, 5_000)
        };
        self.set_waiting(sub);
        self.note(self.now.saturating_add(pause), Task::Login { sub, turn, slot: None });
        Ok(())
    }

    /// Gives an address back, or straight on to somebody who waits.
    fn pass_on(&mut self, from: u32, slot: u32, orderly: bool) {
        let (realm, kind) = (self.subs[from as usize].realm, self.subs[from as usize].kind);
        let share = if self.plan.reuse { 0.9 } else { HANDOVER };
        let count = self.sites[realm].offline[kind as usize].len() as u32;
        if orderly && count > 0 && self.rng.chance(share) {
            let pick = self.rng.below(count) as usize;
            if let Some(heir) = self.sites[realm].offline[kind as usize].get(pick).copied() {
                self.unset_waiting(heir);
                let s = &mut self.subs[heir as usize];
                s.turn += 1;
                let turn = s.turn;
                let at = self.now + self.rng.between(1, 20);
                self.note(at, Task::Login { sub: heir, turn, slot: Some(slot) });
                return;
            }
        }
        let pool = &mut self.sites[realm].slots[Self::slot_pool(kind)];
        if self.plan.reuse {
            pool.push_front(slot);
        } else {
            pool.push_back(slot);
        }
    }

    fn reboot<O: Outlet>(&mut self, realm: usize, out: &mut O) -> Result<(), SimError> {
        self.sites[realm].up = false;
        let (first, count) = (self.sites[realm].first_sub, self.sites[realm].desc.subscribers);
        for sub in first..first + count {
            if self.subs[sub as usize].login.is_some() {
                self.logout(sub, false, out)?;
            }
        }
        self.note(self.now + REBOOT_MS, Task::NasUp { realm });
        Ok(())
    }

    fn nas_up<O: Outlet>(&mut self, realm: usize, out: &mut O) -> Result<(), SimError> {
        let site = &mut self.sites[realm];
        site.up = true;
        site.boot += 1;
        site.next_session = 1;
        self.tally.requests += 1;
        out.accounting(realm, accounting(Status::On, self.now, None))
    }
}

fn waiting(subs: &[subs::Sub], sub: u32) -> bool {
    subs.get(sub as usize).is_some_and(|s| s.waiting_at != NONE)
}

fn accounting(status: Status, at: i64, login: Option<Login>) -> Accounting {
    Accounting { status, at, delay_s: 0, login, octets_in: 0, octets_out: 0, cause: 0 }
}

fn called(profile: Profile, realm: &str) -> String {
    match profile {
        Profile::School => format!("02-00-5E-10-00-02:{realm}"),
        Profile::Hotel => "02-00-5E-10-00-01:Guest".to_owned(),
        _ => format!("pppoe-{realm}"),
    }
}
