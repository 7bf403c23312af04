//! Every state that can be reached, breadth first: so what is found first is a shortest way to it.

use std::{
    collections::HashMap,
    fmt::Display,
    hash::{BuildHasherDefault, Hash, Hasher},
};

/// What is searched.
pub trait Model {
    /// Everything that matters of one moment.
    type State: Clone + Eq + Hash;
    /// What happens between two moments.
    type Step: Copy + Display;
    /// What must not happen.
    type Broken: Copy + Eq;

    /// Where all begins.
    fn start(&self) -> Self::State;

    /// All that can happen next: the step, what it broke, and the state after it.
    fn next(&self, state: &Self::State, each: &mut dyn FnMut(Self::Step, Option<Self::Broken>, Self::State));

    /// The state without what matters no more.
    fn plain(&self, state: &Self::State) -> Self::State;

    /// The same for all states that differ in nothing but what matters no more, and in names.
    fn canonical(&self, state: &Self::State) -> Self::State;

    /// Nothing is left to do.
    fn is_end(&self, state: &Self::State) -> bool;
}

/// What a search came to.
pub enum Found<M: Model> {
    /// The shortest way to something broken, and what.
    Broken(Vec<M::Step>, M::Broken),
    /// Nothing is broken in any state.
    Nothing(Space),
}

/// All states.
pub struct Space {
    /// How many.
    pub states: usize,
    /// How many steps between them.
    pub steps: usize,
    /// From how many no end can be reached any more.
    pub stuck: usize,
}

/// More are a mistake in the model, and would take too long. Those settings that run with the tests have under 100,000.
const MOST_STATES: usize = 2_000_000;

/// Looks for the first state in which one of `watched` is broken.
pub fn search<M: Model>(model: &M, watched: &[M::Broken]) -> Found<M> {
    let start = model.canonical(&model.start());
    let mut numbers: HashMap<M::State, usize, BuildHasherDefault<Quick>> = HashMap::default();
    numbers.insert(start.clone(), 0);
    let mut states = vec![start];
    let mut parents = vec![0];
    let mut edges: Vec<(usize, usize)> = Vec::new();
    let mut at = 0;
    while at < states.len() {
        let state = states[at].clone();
        let mut broken = None;
        model.next(&state, &mut |_, what, after| {
            if let Some(what) = what.filter(|what| watched.contains(what)) {
                broken.get_or_insert(what);
                return;
            }
            let after = model.canonical(&after);
            let next = states.len();
            let number = *numbers.entry(after).or_insert_with_key(|after| {
                states.push(after.clone());
                parents.push(at);
                next
            });
            edges.push((number, at));
        });
        if let Some(what) = broken {
            return Found::Broken(trace(model, &states, &parents, at, what), what);
        }
        assert!(states.len() < MOST_STATES, "the space is not as small as it should be");
        at += 1;
    }
    let stuck = stuck(model, &states, &mut edges);
    Found::Nothing(Space { states: states.len(), steps: edges.len(), stuck })
}

/// The way to a state, and the step that broke something there. States are kept in canonical form, in which the nodes may have
/// changed places; here the way is gone again with one name for each.
fn trace<M: Model>(model: &M, states: &[M::State], parents: &[usize], last: usize, what: M::Broken) -> Vec<M::Step> {
    let mut way = vec![last];
    while let Some(&at) = way.last().filter(|at| **at != 0) {
        way.push(parents[at]);
    }
    let mut state = model.plain(&model.start());
    let mut steps = Vec::new();
    for at in way.iter().rev().skip(1) {
        let mut found = None;
        model.next(&state, &mut |step, broken, after| {
            if broken.is_none_or(|broken| broken != what) && model.canonical(&after) == states[*at] {
                found.get_or_insert((step, after));
            }
        });
        // The canonical form of a state has the same steps as the plain one, but for names.
        let Some((step, after)) = found else { panic!("no step leads on") };
        steps.push(step);
        state = model.plain(&after);
    }
    model.next(&state, &mut |step, broken, _| {
        if broken == Some(what) && steps.len() < way.len() {
            steps.push(step);
        }
    });
    steps
}

/// How many states there are from which no end can be reached: all, less those that are found by going back from the ends.
fn stuck<M: Model>(model: &M, states: &[M::State], edges: &mut [(usize, usize)]) -> usize {
    edges.sort_unstable();
    let mut reaches = vec![false; states.len()];
    let mut open: Vec<usize> = Vec::new();
    for (number, state) in states.iter().enumerate() {
        if model.is_end(state) {
            reaches[number] = true;
            open.push(number);
        }
    }
    while let Some(to) = open.pop() {
        let first = edges.partition_point(|edge| edge.0 < to);
        for (_, from) in edges[first..].iter().take_while(|edge| edge.0 == to) {
            if !std::mem::replace(&mut reaches[*from], true) {
                open.push(*from);
            }
        }
    }
    reaches.iter().filter(|reaches| !**reaches).count()
}

/// A hash of small numbers: the library's, made against attackers, takes most of the time in a debug build.
#[derive(Default)]
pub struct Quick(u64);

impl Hasher for Quick {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for eight in bytes.chunks(8) {
            let mut padded = [0; 8];
            padded[..eight.len()].copy_from_slice(eight);
            self.write_u64(u64::from_le_bytes(padded));
        }
    }
    fn write_u8(&mut self, number: u8) {
        self.write_u64(u64::from(number));
    }
    fn write_u64(&mut self, number: u64) {
        self.0 = (self.0.rotate_left(5) ^ number).wrapping_mul(0x517c_c1b7_2722_0a95);
    }
    fn write_isize(&mut self, number: isize) {
        self.write_u64(number as u64);
    }
    fn write_usize(&mut self, number: usize) {
        self.write_u64(number as u64);
    }
}

/// Counts up in ones and threes to ten, which is the end. Nothing leads on from 8 and 9.
struct Stairs;

impl Model for Stairs {
    type State = u8;
    type Step = u8;
    type Broken = u8;

    fn start(&self) -> u8 {
        0
    }
    fn next(&self, state: &u8, each: &mut dyn FnMut(u8, Option<u8>, u8)) {
        if *state < 8 {
            each(1, (*state == 5).then_some(5), state + 1);
            each(3, None, state + 3);
        }
    }
    fn plain(&self, state: &u8) -> u8 {
        *state
    }
    fn canonical(&self, state: &u8) -> u8 {
        *state
    }
    fn is_end(&self, state: &u8) -> bool {
        *state == 10
    }
}

#[test]
fn finds_the_shortest_way_and_all_dead_ends() {
    let Found::Broken(steps, 5) = search(&Stairs, &[5]) else { panic!("5 is not found") };
    assert_eq!((steps.len(), steps.iter().sum::<u8>()), (4, 6), "{steps:?}");
    let Found::Nothing(space) = search(&Stairs, &[]) else { panic!("nothing is looked for") };
    assert_eq!((space.states, space.steps, space.stuck), (11, 16, 2));
}
