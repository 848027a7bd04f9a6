//! Every form of every loop against the obvious one.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

proptest! {
    #[test]
    fn looking_up_adds_the_value_of_each_class_and_never_leaves_the_range(
        values in vec(prop_oneof![Just(i16::MIN), any::<i16>(), 0..5_000_i16], 1..=256),
        pairs in vec((any::<u8>(), prop_oneof![Just(0), any::<i16>()]), 0..400),
    ) {
        let classes: Vec<u8> =
            pairs.iter().map(|(class, _)| u8::try_from(usize::from(*class) % values.len()).unwrap()).collect();
        let expected: Vec<i16> = classes
            .iter()
            .zip(&pairs)
            .map(|(class, (_, before))| before.saturating_add(values[usize::from(*class)]))
            .collect();
        for cpu in Cpu::levels() {
            let mut out: Vec<i16> = pairs.iter().map(|(_, before)| *before).collect();
            cpu.look_up(&classes, &Values::collect(values.iter().copied()), &mut out);
            prop_assert_eq!(&out, &expected, "{}", cpu);
        }
    }

    #[test]
    fn common_bits_are_counted_and_levels_are_those_of_the_weaker(
        given in vec((any::<u8>(), 0..100_u8), 0..400), mine in any::<u8>(),
    ) {
        let (bytes, before): (Vec<u8>, Vec<u8>) = given.into_iter().unzip();
        for cpu in Cpu::levels() {
            let (mut counts, mut best) = (before.clone(), before.clone());
            cpu.count_common(&bytes, mine, &mut counts);
            cpu.raise_levels(&bytes, mine, &mut best);
            for at in 0..bytes.len() {
                let common = u8::try_from((bytes[at] & mine).count_ones()).unwrap();
                prop_assert_eq!(counts[at], before[at] + common, "{}", cpu);
                prop_assert_eq!(best[at], before[at].max(bytes[at].min(mine)), "{}", cpu);
            }
        }
    }

    #[test]
    fn counting_side_by_side_is_counting_one_by_one(
        rows in vec(any::<[u64; WORDS]>(), 1..300),
        seasons in vec(vec(0..300_u32, 0..300), 0..4),
        most in 1..=u8::MAX,
    ) {
        let is_set = |row: u32, lane: usize| {
            rows.get(row as usize).is_some_and(|row| row[lane / 64] >> (lane % 64) & 1 == 1)
        };
        let expected = |lane: usize| {
            let counts = seasons.iter().map(|rows| rows.iter().filter(|row| is_set(**row, lane)).count());
            u8::try_from(counts.min().unwrap_or(0)).unwrap_or(u8::MAX).min(most)
        };
        for cpu in Cpu::levels() {
            let mut out = [0; LANES];
            cpu.count_rows(&rows, &seasons, most, &mut out);
            for (lane, number) in out.iter().enumerate() {
                prop_assert_eq!(*number, expected(lane), "{} lane {}", cpu, lane);
            }
        }
    }
}
