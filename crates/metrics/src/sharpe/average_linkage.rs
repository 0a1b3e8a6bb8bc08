//! Groups by average linkage, cut where the silhouettes are best.

/// A grouping of some items.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Cut {
    /// How many groups.
    pub(super) count: usize,
    /// The group of each item, numbered from 0 in the order of their first items.
    pub(super) labels: Vec<usize>,
    /// The mean silhouette; 0 for an item alone in its group.
    pub(super) silhouette: f64,
}

/// The groups while they are joined one by one.
struct Groups {
    count: usize,
    /// The group of each item: the lowest of its items.
    group: Vec<usize>,
    /// The items of each group, empty once it was joined to another.
    members: Vec<Vec<usize>>,
    /// The sum of distances from each item (column) to each group (row). `count x count`.
    sums: Vec<f64>,
    /// The sum of distances between each two groups. `count x count`.
    between: Vec<f64>,
    /// The nearest group of each, at any distance.
    nearest: Vec<usize>,
}

/// Joins the two groups at the least mean distance again and again, and returns the grouping with the largest mean silhouette, that
/// with more groups of equals. Items closer than `same` are joined before anything is measured; if that joins all, there is one group.
///
/// # Shapes
/// `distances` is `count x count`, symmetric, 0 on the diagonal.
pub(super) fn best_cut(distances: &[f64], count: usize, same: f64) -> Cut {
    let mut groups = Groups::new(distances, count);
    let mut left = count;
    let mut best: Option<(f64, Vec<usize>)> = None;
    while left > 1 {
        let (one, other, distance) = groups.closest();
        if distance >= same {
            let silhouette = groups.silhouette(left);
            // Rounding is no reason to prefer fewer groups.
            if best.as_ref().is_none_or(|(largest, _)| silhouette > largest + 1e-12) {
                best = Some((silhouette, groups.group.clone()));
            }
        }
        groups.join(one, other);
        left -= 1;
    }
    let (silhouette, group) = best.unwrap_or((0.0, groups.group));
    numbered(&group, silhouette)
}

impl Groups {
    fn new(distances: &[f64], count: usize) -> Self {
        let mut groups = Self {
            count,
            group: (0..count).collect(),
            members: (0..count).map(|item| vec![item]).collect(),
            sums: distances.to_vec(),
            between: distances.to_vec(),
            nearest: vec![0; count],
        };
        (0..count).for_each(|group| groups.find_nearest(group));
        groups
    }

    fn alive(&self) -> impl Iterator<Item = usize> {
        (0..self.count).filter(|&group| !self.members[group].is_empty())
    }

    fn distance(&self, one: usize, other: usize) -> f64 {
        self.between[one * self.count + other] / (self.members[one].len() * self.members[other].len()) as f64
    }

    /// Returns the two groups at the least distance, the first of equals.
    fn closest(&self) -> (usize, usize, f64) {
        let mut found = (0, 0, f64::INFINITY);
        for group in self.alive() {
            let distance = self.distance(group, self.nearest[group]);
            if distance < found.2 {
                found = (group, self.nearest[group], distance);
            }
        }
        (found.0.min(found.1), found.0.max(found.1), found.2)
    }

    fn find_nearest(&mut self, group: usize) {
        let mut found = (group, f64::INFINITY);
        for other in self.alive().filter(|&other| other != group) {
            let distance = self.distance(group, other);
            if distance < found.1 {
                found = (other, distance);
            }
        }
        self.nearest[group] = found.0;
    }

    fn join(&mut self, one: usize, other: usize) {
        let moved = std::mem::take(&mut self.members[other]);
        for &item in &moved {
            self.group[item] = one;
        }
        self.members[one].extend(moved);
        let count = self.count;
        for index in 0..count {
            self.sums[one * count + index] += self.sums[other * count + index];
            self.between[one * count + index] += self.between[other * count + index];
        }
        for index in 0..count {
            self.between[index * count + one] = self.between[one * count + index];
        }
        let stale: Vec<usize> = self.alive().collect();
        for group in stale {
            let nearest = self.nearest[group];
            if group == one || nearest == one || nearest == other {
                self.find_nearest(group);
            } else if self.distance(group, one) < self.distance(group, nearest) {
                self.nearest[group] = one;
            }
        }
    }

    /// Returns the mean of `(b - a) / max(a, b)`, `a` the mean distance of an item to the others of its group and `b` that to the nearest
    /// other group. Source: Rousseeuw (1987), "Silhouettes".
    fn silhouette(&self, left: usize) -> f64 {
        if left == self.count {
            return 0.0;
        }
        let mut outside = vec![f64::INFINITY; self.count];
        for group in self.alive() {
            let size = (self.members[group].len() as f64).recip();
            let sums = &self.sums[group * self.count..(group + 1) * self.count];
            for ((nearest, sum), own) in outside.iter_mut().zip(sums).zip(&self.group) {
                let mean = if *own == group { f64::INFINITY } else { sum * size };
                *nearest = if mean < *nearest { mean } else { *nearest };
            }
        }
        let of_item = |item: usize| {
            let own = self.group[item];
            let others = self.members[own].len() - 1;
            if others == 0 {
                return 0.0;
            }
            let (a, b) = (self.sums[own * self.count + item] / others as f64, outside[item]);
            let largest = a.max(b);
            if largest > 0.0 { (b - a) / largest } else { 0.0 }
        };
        (0..self.count).map(of_item).sum::<f64>() / self.count as f64
    }
}

/// Numbers groups in the order of their first items.
fn numbered(group: &[usize], silhouette: f64) -> Cut {
    let mut numbers = vec![usize::MAX; group.len()];
    let mut count = 0;
    let labels = group
        .iter()
        .map(|&group| {
            if numbers[group] == usize::MAX {
                numbers[group] = count;
                count += 1;
            }
            numbers[group]
        })
        .collect();
    Cut { count, labels, silhouette }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Distances of points on a line.
    fn line(points: &[f64]) -> Vec<f64> {
        points.iter().flat_map(|one| points.iter().map(move |other| (one - other).abs())).collect()
    }

    #[test]
    fn two_pairs_far_apart_are_two_groups() {
        // 0, 1 and 10, 11: a = 1 each; b = 10.5, 9.5, 9.5, 10.5. Mean of 1 - 1 / 10.5 and 1 - 1 / 9.5.
        let found = best_cut(&line(&[0.0, 10.0, 1.0, 11.0]), 4, 1e-6);
        assert_eq!((found.count, found.labels), (2, vec![0, 1, 0, 1]));
        assert!((found.silhouette - (1.0 - f64::midpoint(1.0 / 10.5, 1.0 / 9.5))).abs() < 1e-12);
    }

    #[test]
    fn equal_distances_leave_every_item_alone() {
        let distances: Vec<f64> = (0..25).map(|pair| if pair % 6 == 0 { 0.0 } else { 0.7 }).collect();
        assert_eq!(best_cut(&distances, 5, 1e-6), Cut { count: 5, labels: vec![0, 1, 2, 3, 4], silhouette: 0.0 });
    }

    #[test]
    fn items_at_one_place_are_one_group() {
        assert_eq!(best_cut(&line(&[3.0; 4]), 4, 1e-6).count, 1);
        assert_eq!(best_cut(&[0.0], 1, 1e-6), Cut { count: 1, labels: vec![0], silhouette: 0.0 });
        assert_eq!(best_cut(&line(&[0.0, 0.0, 5.0]), 3, 1e-6).labels, [0, 0, 1]);
    }
}
