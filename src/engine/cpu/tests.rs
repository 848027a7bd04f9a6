//! Every form of every loop against the obvious one.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

/// Columns that a test reads, the first of zeros.
const COLUMNS: usize = 5;

/// A key of some columns, and the values of its classes: enough for any class that it finds.
fn parts() -> impl Strategy<Value = (Key, u8, Vec<i16>)> {
    let masks = vec((0..COLUMNS, any::<u8>()), 0..4);
    let key = (0..COLUMNS, proptest::option::of(0..2_usize), masks, any::<bool>());
    let key = key.prop_map(|(base, own, masks, united)| Key { base, own, masks, united });
    // Bases stay below the given class.
    (key, prop_oneof![Just(1_u8), 1..=200_u8]).prop_flat_map(|(key, below)| {
        let (own, bits) = (key.own.map_or(0, |_| 9), if key.united { 8 } else { 8 * key.masks.len() });
        let classes = usize::from(below) + own + bits;
        (Just(key), Just(below), vec(prop_oneof![4 => 0..=400_i16, 1 => Just(i16::MIN)], classes))
    })
}

/// The class of a lane, found one bit at a time.
fn class(key: &Key, columns: &[Column], own: &[Column], lane: usize) -> usize {
    let common = |(column, mask): &(usize, u8)| columns[*column].0[lane] & mask;
    let bits: u32 = if key.united {
        key.masks.iter().map(common).fold(0, |all, bits| all | bits).count_ones()
    } else {
        key.masks.iter().map(|mask| common(mask).count_ones()).sum()
    };
    let mine = key.own.map_or(0, |own_column| own[own_column].0[lane]);
    usize::from(columns[key.base].0[lane]) + usize::from(mine) + bits as usize
}

fn column(bytes: &[u8], below: u8) -> Column {
    Column(std::array::from_fn(|lane| bytes[lane % bytes.len()] % below))
}

proptest! {
    #[test]
    fn sums_are_those_of_the_value_of_each_class(
        parts in vec(parts(), 0..16),
        bytes in vec(vec(any::<u8>(), 1..LANES), COLUMNS),
        bits in any::<bool>(),
    ) {
        // Bases stay below what the values allow; the columns that are masked may hold anything.
        let mut columns: Vec<Column> = bytes.iter().map(|bytes| column(bytes, 255)).collect();
        let mut keys = Vec::new();
        for (key, below, values) in parts {
            columns.push(column(&bytes[key.base], below));
            keys.push((Key { base: columns.len() - 1, ..key }, values));
        }
        let own = [column(&bytes[0], 9), column(&bytes[1], 9)];
        let mut plan = ScoringPlan::new(if bits { SumKind::Bits } else { SumKind::Scores });
        // Another row before it, which must not be read.
        let values = plan.write(&[77]).expect("not all 0");
        plan.add(Key::default(), values);
        plan.end_row();
        let mut expected = [0_i16; LANES];
        for (at, (key, values)) in keys.iter_mut().enumerate() {
            if bits {
                // No bit is in two parts: every part has one of its own.
                for value in values.iter_mut() {
                    *value = if at < 15 { (*value & 1) << at } else { 0 };
                }
            }
            for (lane, sum) in expected.iter_mut().enumerate() {
                let value = values[class(key, &columns, &own, lane)];
                *sum = if value < 0 || *sum < 0 { i16::MIN } else { *sum + value };
            }
            if let Some(values) = plan.write(values) {
                plan.add(key.clone(), values);
            }
        }
        plan.end_row();
        for cpu in Cpu::levels() {
            let mut out = [5; LANES];
            cpu.sum_up(&columns, &own, &plan, 1, &mut out);
            prop_assert_eq!(out, expected, "{}", cpu);
        }
    }

    #[test]
    fn counting_side_by_side_is_counting_one_by_one(
        given in vec(any::<[u64; WORDS]>().prop_map(Lanes), 1..300),
        seasons in vec(vec(0..300_usize, 0..300), 0..4),
        most in 1..=u8::MAX,
    ) {
        let seasons: Vec<Vec<u32>> = seasons
            .iter()
            .map(|chosen| chosen.iter().map(|at| u32::try_from(at % given.len()).expect("small")).collect())
            .collect();
        let mut rows = given;
        let blank = u32::try_from(rows.len()).expect("small");
        rows.push(Lanes([0; WORDS]));
        let is_set = |row: u32, lane: usize| rows[row as usize].0[lane / 64] >> (lane % 64) & 1 == 1;
        let expected = |lane: usize| {
            let counts = seasons.iter().map(|rows| rows.iter().filter(|row| is_set(**row, lane)).count());
            u8::try_from(counts.min().unwrap_or(0)).unwrap_or(u8::MAX).min(most)
        };
        let mut chosen = Seasons::with_room(0, blank);
        for season in &seasons {
            chosen.extend(season.iter().copied());
            chosen.end_season();
        }
        for cpu in Cpu::levels() {
            let mut out = Column([9; LANES]);
            cpu.count_rows(&rows, &chosen, most, &mut out);
            for (lane, number) in out.0.iter().enumerate() {
                prop_assert_eq!(*number, expected(lane), "{} lane {}", cpu, lane);
            }
        }
    }

    #[test]
    fn every_form_finds_what_a_look_at_each_score_finds(
        scores in vec(vec(prop_oneof![3 => -3..40_i16, 1 => any::<i16>()], SCORES), 0..5),
        floor in prop_oneof![Just(0_i16), -3..40_i16, any::<i16>()],
        floors in vec(prop_oneof![0..40_i16, Just(i16::MAX)], SCORES),
    ) {
        let narrow: Vec<[i16; SCORES]> =
            scores.iter().map(|scores| std::array::from_fn(|at| scores[at])).collect();
        let number = |score: i16| if score < 0 { i32::MIN } else { i32::from(score) * 60_000 };
        let wide: Vec<[i32; SCORES]> = narrow.iter().map(|scores| scores.map(number)).collect();
        let candidates = || scores.iter().flatten().copied().filter(|score| *score >= 0);
        let ends = [candidates().min(), candidates().max()];
        let highest = |part: usize, scores: &[i16; SCORES]| {
            let of_part = scores.iter().skip(part).step_by(PARTS).copied();
            of_part.filter(|score| *score >= 0).max()
        };
        let parts: Vec<[Option<i16>; PARTS]> =
            narrow.iter().map(|scores| std::array::from_fn(|part| highest(part, scores))).collect();
        let reached = |floor: i16| -> Vec<u64> {
            let bits = |scores: &[i16; SCORES]| {
                (0..SCORES).map(|at| u64::from(scores[at] >= floor) << at).sum()
            };
            narrow.iter().map(bits).collect()
        };
        let floors = vec![std::array::from_fn(|at| floors[at]); scores.len()];
        let floors_wide: Vec<[i32; SCORES]> = floors.iter().map(|floors: &[i16; SCORES]| floors.map(number)).collect();
        let above = |(scores, floors): (&[i16; SCORES], &[i16; SCORES])| -> u64 {
            (0..SCORES).map(|at| u64::from(scores[at] >= floors[at]) << at).sum()
        };
        let reaching: Vec<u64> = narrow.iter().zip(&floors).map(above).collect();
        for cpu in Cpu::levels() {
            let (mut found, mut found_wide) = (vec![7; scores.len()], vec![7; scores.len()]);
            let mut narrow_parts = vec![[3; PARTS]; scores.len()];
            let mut wide_parts = vec![[3; PARTS]; scores.len()];
            let given = |score: i16| (score >= 0).then_some(score);
            let given_wide = |score: i32| (score >= 0).then_some(score);
            let widened = |score: Option<i16>| score.map(number);
            prop_assert_eq!(cpu.look(&narrow, &mut narrow_parts).map(given), ends, "{}", cpu);
            prop_assert_eq!(cpu.look_wide(&wide, &mut wide_parts).map(given_wide), ends.map(widened), "{}", cpu);
            for ((narrow, wide), expected) in narrow_parts.iter().zip(&wide_parts).zip(&parts) {
                prop_assert_eq!(narrow.map(given), *expected, "{}", cpu);
                prop_assert_eq!(wide.map(given_wide), expected.map(widened), "{}", cpu);
            }
            cpu.find(&narrow, floor, &mut found);
            prop_assert_eq!(&found, &reached(floor), "{}", cpu);
            cpu.find_wide(&wide, number(floor.max(0)), &mut found_wide);
            prop_assert_eq!(&found_wide, &reached(floor.max(0)), "{}", cpu);
            cpu.reach(&narrow, &floors, &mut found);
            prop_assert_eq!(&found, &reaching, "{}", cpu);
            cpu.reach_wide(&wide, &floors_wide, &mut found_wide);
            prop_assert_eq!(&found_wide, &reaching, "{}", cpu);
        }
    }
}
