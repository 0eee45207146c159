//! Inputs made of other inputs: what a test run has in place of coverage.

use fastrand::Rng;

/// Longest input that is made, in bytes.
pub const MAX_INPUT: usize = 16 * 1024;

/// Bytes with which parsers are often wrong.
const BYTES: [u8; 14] = [
    0, 1, 0x1e, 0x1f, 0x7f, 0x80, 0xff, b'\n', b'\r', b'"', b'\\', b' ', b'-', b'0',
];
/// Numbers with which programs are often wrong.
const NUMBERS: [&str; 12] = [
    "0",
    "-1",
    "1",
    "65535",
    "65536",
    "2147483647",
    "4294967295",
    "4294967296",
    "9223372036854775807",
    "18446744073709551615",
    "18446744073709551616",
    "1e999",
];

/// An input made of one or two of the given ones, changed in one to eight places.
pub fn mutated(random: &mut Rng, inputs: &[Vec<u8>], words: &[&str]) -> Vec<u8> {
    let pick = |random: &mut Rng| -> &[u8] {
        if inputs.is_empty() {
            &[]
        } else {
            &inputs[random.usize(..inputs.len())]
        }
    };
    let mut input = pick(random).to_vec();
    for _ in 0..random.u32(1..=8) {
        match random.u32(..11) {
            0 => {
                let at = place(random, &input);
                input.insert(at, BYTES[random.usize(..BYTES.len())]);
            }
            1 if !input.is_empty() => {
                let at = random.usize(..input.len());
                input[at] ^= 1 << random.u32(..8);
            }
            2 if !input.is_empty() => {
                let part = part(random, &input, 64);
                input.drain(part);
            }
            3 => {
                // what is doubled: an object in itself, a line again, a bracket
                let part = part(random, &input, 256);
                let copy = input[part].to_vec();
                let times = if random.u32(..8) == 0 { 40 } else { 1 };
                let at = place(random, &input);
                input.splice(at..at, copy.repeat(times));
            }
            4 => {
                let end = place(random, &input);
                input.truncate(end);
            }
            5 => {
                let other = pick(random);
                let copy = other[part(random, other, 512)].to_vec();
                let at = place(random, &input);
                input.splice(at..at, copy);
            }
            6 => replace_number(random, &mut input),
            7 => {
                let at = place(random, &input);
                let c = odd_character(random);
                let mut buffer = [0; 4];
                input.splice(at..at, c.encode_utf8(&mut buffer).bytes());
            }
            8 if input.len() > 1 => {
                let (one, other) = (random.usize(..input.len()), random.usize(..input.len()));
                input.swap(one, other);
            }
            _ if !words.is_empty() => {
                let word = words[random.usize(..words.len())];
                let part = if random.bool() {
                    part(random, &input, 16)
                } else {
                    let at = place(random, &input);
                    at..at
                };
                input.splice(part, word.bytes());
            }
            _ => {}
        }
    }
    input.truncate(MAX_INPUT);
    input
}

fn place(random: &mut Rng, input: &[u8]) -> usize {
    random.usize(..=input.len())
}

fn part(random: &mut Rng, input: &[u8], longest: usize) -> std::ops::Range<usize> {
    let start = place(random, input);
    let end = (start + random.usize(..=longest)).min(input.len());
    start..end
}

/// Puts a dangerous number in the place of one that is there.
fn replace_number(random: &mut Rng, input: &mut Vec<u8>) {
    let starts: Vec<usize> = (0..input.len())
        .filter(|at| input[*at].is_ascii_digit() && (*at == 0 || !input[*at - 1].is_ascii_digit()))
        .collect();
    if starts.is_empty() {
        return;
    }
    let start = starts[random.usize(..starts.len())];
    let length = input[start..]
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    let number = NUMBERS[random.usize(..NUMBERS.len())];
    input.splice(start..start + length, number.bytes());
}

fn odd_character(random: &mut Rng) -> char {
    const ODD: [char; 12] = [
        'é',
        '日',
        '🎉',
        '\u{301}',
        '\u{200d}',
        '\u{feff}',
        '\u{2028}',
        '\u{202e}',
        '\u{0}',
        '\u{85}',
        '\u{10ffff}',
        '\u{fffd}',
    ];
    ODD[random.usize(..ODD.len())]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_makes_the_same_inputs_and_another_seed_others() {
        let inputs = [b"{\"a\":12}".to_vec(), b"3 + 4".to_vec()];
        let some = |seed: u64| -> Vec<Vec<u8>> {
            let mut random = Rng::with_seed(seed);
            (0..50)
                .map(|_| mutated(&mut random, &inputs, &["nil"]))
                .collect()
        };
        assert_eq!(some(1), some(1));
        assert_ne!(some(1), some(2));
    }

    #[test]
    fn inputs_stay_bounded_and_nothing_at_all_can_be_mutated() {
        let mut random = Rng::with_seed(3);
        let mut inputs = vec![Vec::new()];
        for _ in 0..2000 {
            let input = mutated(&mut random, &inputs, &[]);
            assert!(input.len() <= MAX_INPUT);
            inputs.push(input);
        }
        assert!(mutated(&mut random, &[], &[]).len() <= 64);
    }
}
