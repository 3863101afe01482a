/** Translations of n-grams with their scores, the highest first; a list ends before a place of -1. */
export interface ScoredLists {
  /** Translations of an n-gram, at most. */
  width: number;
  /** [n-grams, width] */
  places: Int32Array;
  /** [n-grams, width] */
  scores: Float32Array;
  /** Indices in `places` of the translations whose nearest source n-gram is that of their list. */
  cited: number[];
}

/** Less probable translations are left out: probabilities are written with six digits. */
const negligible = 1e-6;

/** exp(score / temperature) over their sum, without the end of the list that is negligible. @param scores falling */
export function softmax(scores: Float32Array, temperature: number): Float64Array {
  return normalized(Float64Array.from(scores, (score) => Math.exp((score - scores[0]) / temperature)));
}

/** Scores over their sum; those that are not above 0, at the end of the list, get nothing. @param scores falling */
export function shares(scores: Float32Array): Float64Array {
  return normalized(Float64Array.from(scores, (score) => Math.max(0, score)));
}

function normalized(weights: Float64Array): Float64Array {
  const sum = weights.reduce((total, weight) => total + weight, 0);
  const kept = weights.filter((weight) => weight >= negligible * sum && weight > 0);
  const keptSum = kept.reduce((total, weight) => total + weight, 0);
  return kept.map((weight) => weight / keptSum);
}

/** The temperatures that `fitTemperature` finds. */
const [coldest, hottest] = [1e-3, 10];

/** Without citations: T = 30 of Lample et al. 2018 ("Phrase-based and neural unsupervised machine translation", 3.1). */
const usual = 1 / 30;

/**
 * The temperature that maximizes the log-likelihood of the cited translations (Artetxe et al. 2018, "Unsupervised statistical machine
 * translation", section 3.2). Citations come from the other direction; in the same direction the best score would always be right and
 * the temperature 0. Found by bisection, since the derivative of the log-likelihood with respect to 1/temperature is decreasing; within
 * 0.001 and 10, and 1/30 where nothing is cited.
 */
export function fitTemperature(lists: ScoredLists): number {
  if (lists.cited.length === 0) return usual;
  let [low, high] = [Math.log(1 / hottest), Math.log(1 / coldest)];
  for (let round = 0; round < 30; round++) {
    const middle = (low + high) / 2;
    if (slope(lists, Math.exp(middle)) >= 0) low = middle;
    else high = middle;
  }
  return Number(Math.exp(-low).toPrecision(4));
}

/** d/d(sharpness) of the log-likelihood: the scores of cited translations less the expected scores of their lists. */
function slope({ width, places, scores, cited }: ScoredLists, sharpness: number): number {
  let total = 0;
  for (const index of cited) {
    const from = index - (index % width);
    let [weights, weighted] = [0, 0];
    for (let at = from; at < from + width && places[at] >= 0; at++) {
      const weight = Math.exp(sharpness * (scores[at] - scores[from]));
      weights += weight;
      weighted += weight * (scores[index] - scores[at]);
    }
    total += weighted / weights;
  }
  return total;
}
