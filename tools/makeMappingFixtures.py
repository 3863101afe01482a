"""Writes test/fixtures/xlm/mapping.json: mappings of two small spaces by a plain reference in numpy and scipy.

The reference follows what the papers of Artetxe, Labaka and Agirre describe (ACL 2018 for the first pairs and self-learning,
AAAI 2018 for the last mapping), in double precision and by the definitions: whole matrices of similarities, the square root of
X X^T as a matrix function, whitening as the inverse square root of a covariance. Run with scipy 1.17.1 beside numpy of
tools/requirements.txt:

    python tools/makeMappingFixtures.py
"""

import json
import pathlib

import numpy as np
from scipy.linalg import sqrtm

WORDS, FEATURES, LEARNED, SEEDED, NEIGHBORHOOD, PATIENCE = (44, 41), 6, 36, 30, 4, 3
# Choices that float32 could make otherwise would be no test.
SMALLEST_MARGIN = 2e-5


def spaces(seed):
    """Clustered vectors, and a rotated copy of most of them with noise, both with four digits."""
    rng = np.random.default_rng(seed)
    centers = rng.normal(size=(9, FEATURES))
    x = (centers[rng.integers(9, size=WORDS[0])] + 0.6 * rng.normal(size=(WORDS[0], FEATURES))) * np.linspace(1.5, 0.5, FEATURES)
    rotation, _ = np.linalg.qr(rng.normal(size=(FEATURES, FEATURES)))
    z = x[: WORDS[1]] @ rotation + 0.45 * rng.normal(size=(WORDS[1], FEATURES))
    return x.round(4), z.round(4)


def words():
    """Places 0, 5, 10, ... are written alike, 2, 9, 16, ... are numbers."""
    def name(place, language):
        if place % 7 == 2:
            return str(100 + place)
        return f"name{place}" if place % 5 == 0 else f"{language}{place}"
    return [name(place, "en") for place in range(WORDS[0])], [name(place, "de") for place in range(WORDS[1])]


def unit(rows):
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def normalize(rows):
    rows = unit(rows)
    return unit(rows - rows.mean(axis=0))


def mean_of_nearest(similarities):
    """[rows, columns] -> [rows]"""
    return np.sort(similarities, axis=1)[:, -NEIGHBORHOOD:].mean(axis=1)


def best(scores):
    ordered = np.sort(scores, axis=1)
    assert (ordered[:, -1] - ordered[:, -2]).min() > SMALLEST_MARGIN, "a choice is too close"
    return scores.argmax(axis=1)


def induce(x, z):
    """Pairs of both directions, and the mean of each word's largest similarity."""
    similarities = x @ z.T
    scaled = 2 * similarities - mean_of_nearest(similarities)[:, None] - mean_of_nearest(similarities.T)[None]
    forward, backward = best(scaled), best(scaled.T)
    sources = np.concatenate([np.arange(len(x)), backward])
    targets = np.concatenate([forward, np.arange(len(z))])
    return sources, targets, (similarities.max(axis=1).mean(), similarities.max(axis=0).mean())


def first_pairs(kind, x, z, names):
    alike = [(i, j) for i, word in enumerate(names[0]) for j, other in enumerate(names[1]) if word == other]
    if kind == "identical":
        return np.array(alike).T
    if kind == "numerals":
        return np.array([(i, j) for i, j in alike if names[0][i].isdigit()]).T
    if kind == "dictionary":
        return np.arange(0, WORDS[1], 3), np.arange(0, WORDS[1], 3)
    signatures = [normalize(np.sort(sqrtm(rows[:SEEDED] @ rows[:SEEDED].T).real, axis=1)) for rows in (x, z)]
    return induce(*signatures)[:2]


def rotation_for(x, z):
    u, _, vt = np.linalg.svd(x.T @ z)
    return u @ vt


def self_learning(x, z, pairs):
    objectives, highest, stalled = [], -np.inf, 0
    while stalled < PATIENCE:
        rotation = rotation_for(x[pairs[0]], z[pairs[1]])
        sources, targets, (forward, backward) = induce(x[:LEARNED] @ rotation, z[:LEARNED])
        objectives.append((forward + backward) / 2)
        stalled += 1
        if objectives[-1] - highest >= 1e-6:
            highest, stalled = objectives[-1], 0
        pairs = sources, targets
    return pairs, objectives


def symmetric(x, z, pairs):
    a, b = x[pairs[0]], z[pairs[1]]
    root_a, root_b = sqrtm(a.T @ a).real, sqrtm(b.T @ b).real
    whitened = (a @ np.linalg.inv(root_a)).T @ (b @ np.linalg.inv(root_b))
    u, s, vt = np.linalg.svd(whitened)

    def finish(rows, root, rotate):
        return rows @ np.linalg.inv(root) @ rotate @ np.diag(np.sqrt(s)) @ rotate.T @ root @ rotate

    return finish(x, root_a, u), finish(z, root_b, vt.T)


def up_to_signs(x, z):
    """Singular vectors have no sign of their own: products of the two sides do not depend on it."""
    return (x[:9] @ z.T).round(6).tolist(), (x[:3] @ x.T).round(6).tolist()


def case(kind, raw, names):
    x, z = (normalize(rows) for rows in raw)
    seeds = first_pairs(kind, x, z, names)
    pairs, objectives = self_learning(x, z, seeds)
    a, b = symmetric(x, z, pairs)
    sources, targets, mean_best = induce(unit(a[:LEARNED]), unit(b[:LEARNED]))
    mutual = sum(sources[LEARNED + targets[i]] == i for i in range(LEARNED)) / LEARNED
    products, own = up_to_signs(a, b)
    rotated = x @ rotation_for(x[pairs[0]], z[pairs[1]])
    return {
        "seedDictionary": kind,
        "seeds": [np.asarray(side).tolist() for side in seeds],
        "objectives": objectives,
        "pairs": [side.tolist() for side in pairs],
        "products": products,
        "ownProducts": own,
        "orthogonal": rotated[:9].round(6).tolist(),
        "meanBest": list(mean_best),
        "coverage": mutual,
    }


def main():
    names = words()
    for seed in range(200):
        try:
            raw = spaces(seed)
            cases = [case(kind, raw, names) for kind in ("unsupervised", "identical", "numerals", "dictionary")]
        except AssertionError:
            continue
        if len({tuple(one["objectives"]) for one in cases}) == 4 and min(len(one["objectives"]) for one in cases) > 4:
            break
    else:
        raise SystemExit("no seed gives four different runs")
    options = dict(keepProbability=1, vocabularySize=LEARNED, seedVocabularySize=SEEDED, neighborhood=NEIGHBORHOOD, patience=PATIENCE)
    fixture = dict(seed=seed, options=options, words=names, vectors=[rows.tolist() for rows in raw], cases=cases)
    path = pathlib.Path("test/fixtures/xlm/mapping.json")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(fixture, separators=(",", ":")) + "\n")
    for one in cases:
        print(one["seedDictionary"], len(one["seeds"][0]), [round(value, 4) for value in one["objectives"]], one["coverage"])
    print("seed", seed, path.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
