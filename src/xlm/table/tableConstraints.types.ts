// Made by `npm run docs` from the schema beside it: do not edit.

/** Options of `constraintsFromTable` as given. */
export type ConstraintOptions = {
  /**
   * Minimum probability of an n-gram's best translation for the n-gram to become a constraint.
   * @default 0.5
   */
  minProbability?: number;
  /**
   * Minimum probability of its other translations that also satisfy the constraint.
   * @default 0.1
   */
  minAlternative?: number;
  /**
   * Maximum number of constraints of a text: the n-grams with the most probable translations.
   * @default 4
   */
  maxConstraints?: number;
  /**
   * Added to the logit of each token of these translations, in sequenceBias.
   * @default 2
   */
  bias?: number;
};
