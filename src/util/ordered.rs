//! A map and a sort by number, at a tenth of the standard library's size in the download.

/// A map with numbers as keys, in order.
#[derive(Clone, Debug)]
pub struct OrderedMap<T>(Vec<(u32, T)>);

impl<T> Default for OrderedMap<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> OrderedMap<T> {
    fn at(&self, number: u32) -> Result<usize, usize> {
        self.0.binary_search_by(|(other, _)| other.cmp(&number))
    }

    /// The value of a number.
    pub fn get(&self, number: u32) -> Option<&T> {
        self.at(number).ok().map(|at| &self.0[at].1)
    }

    /// The value of a number, mutably.
    pub fn get_mut(&mut self, number: u32) -> Option<&mut T> {
        self.at(number).ok().map(|at| &mut self.0[at].1)
    }

    /// Sets the value of a number.
    pub fn insert(&mut self, number: u32, value: T) {
        match self.at(number) {
            Ok(at) => self.0[at].1 = value,
            Err(at) => self.0.insert(at, (number, value)),
        }
    }

    /// The value of a number, mutably; inserts the default if there is none.
    pub fn entry(&mut self, number: u32) -> &mut T
    where
        T: Default,
    {
        let at = self.at(number).unwrap_or_else(|at| {
            self.0.insert(at, (number, T::default()));
            at
        });
        &mut self.0[at].1
    }

    /// Removes a number and returns its value.
    pub fn remove(&mut self, number: u32) -> Option<T> {
        self.at(number).ok().map(|at| self.0.remove(at).1)
    }

    /// The number of entries.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether the map is empty.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The entries, in order.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        self.0.iter().map(|(number, value)| (*number, value))
    }

    /// Removes all entries.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}

/// Sorts by number, in place (heapsort: no order that a hostile server chooses makes it slow).
///
/// ```
/// let mut list = vec![3, 1, 2, 1];
/// partway::util::ordered::sort(&mut list, |number| *number);
/// assert_eq!(list, [1, 1, 2, 3]);
/// ```
pub fn sort<T>(list: &mut [T], number: fn(&T) -> u32) {
    heapsort(&mut Row { list, number });
}

/// A list to sort. As a trait object it is sorted by one function for all types.
trait Sortable {
    fn len(&self) -> usize;
    fn number(&self, at: usize) -> u32;
    fn swap(&mut self, one: usize, other: usize);
}

struct Row<'a, T> {
    list: &'a mut [T],
    number: fn(&T) -> u32,
}

impl<T> Sortable for Row<'_, T> {
    fn len(&self) -> usize {
        self.list.len()
    }

    fn number(&self, at: usize) -> u32 {
        (self.number)(&self.list[at])
    }

    fn swap(&mut self, one: usize, other: usize) {
        self.list.swap(one, other);
    }
}

fn heapsort(row: &mut dyn Sortable) {
    let len = row.len();
    if (1..len).all(|at| row.number(at - 1) <= row.number(at)) {
        return;
    }
    for root in (0..len / 2).rev() {
        sift(row, root, len);
    }
    for end in (1..len).rev() {
        row.swap(0, end);
        sift(row, 0, end);
    }
}

fn sift(row: &mut dyn Sortable, mut root: usize, end: usize) {
    loop {
        let mut child = 2 * root + 1;
        if child >= end {
            return;
        }
        if child + 1 < end && row.number(child) < row.number(child + 1) {
            child += 1;
        }
        if row.number(root) >= row.number(child) {
            return;
        }
        row.swap(root, child);
        root = child;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        #[test]
        fn sorts_as_the_standard_library_does(mut list in proptest::collection::vec(any::<u32>(), 0..200)) {
            let mut expected = list.clone();
            expected.sort_unstable();
            sort(&mut list, |number| *number);
            prop_assert_eq!(list, expected);
        }

        #[test]
        fn maps_as_the_standard_library_does(moves in proptest::collection::vec((any::<bool>(), 0u32..20, any::<u8>()), 0..200)) {
            let (mut ours, mut theirs) = (OrderedMap::default(), BTreeMap::new());
            for (put, number, value) in moves {
                if put {
                    ours.insert(number, value);
                    theirs.insert(number, value);
                } else {
                    prop_assert_eq!(ours.remove(number), theirs.remove(&number));
                }
                prop_assert_eq!(ours.get(number), theirs.get(&number));
            }
            prop_assert!(ours.iter().eq(theirs.iter().map(|(number, value)| (*number, value))));
        }
    }
}
