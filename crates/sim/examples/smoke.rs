use weir_sim::*;
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let mut plan = Plan::new(a[1].parse().unwrap(), 1);
    plan.rate = a[2].parse().unwrap();
    plan.mode = Mode::Fast { history_ms: a[3].parse().unwrap(), datagrams_per_second: a[4].parse().unwrap(), header_time: HeaderTime::Simulated };
    if a[5] != "-" { plan.targets.ipfix = Some(a[5].parse().unwrap()); }
    if a[6] != "-" { plan.truth = Some(a[6].clone().into()); }
    if a.len() > 7 { plan.subscribers = Some(a[7].parse().unwrap()); }
    let clock = weir_base::clock::SystemClock::new();
    struct W(u64);
    impl Wire for W { fn send(&mut self, _: usize, d: &[u8]) -> Result<(), SimError> { self.0 += d.len() as u64; Ok(()) } }
    if plan.targets.ipfix.is_some() {
        println!("{:?}", play(&plan, &clock, &weir_base::task::Stop::new(), |_| ()).unwrap());
    } else { let mut w = W(0); println!("{:?}", play_into(&plan, &clock, &mut w).unwrap()); println!("{} bytes", w.0); }
}
