// Made by `npm run docs` from the schema beside it: do not edit.

/** Options of `constraintsFromTable` as given. */
export type ConstraintOptions = {
  /**
   * An n-gram is sure, and constrains, whose best translation is at least so probable.
   * @default 0.5
   */
  minProbability?: number;
  /**
   * Its other translations that will do as well are at least so probable.
   * @default 0.1
   */
  minAlternative?: number;
  /**
   * N-grams of a text that constrain, at most: the surest.
   * @default 4
   */
  maxConstraints?: number;
  /**
   * What is added to the logit of a token of a sure translation.
   * @default 2
   */
  bias?: number;
};
