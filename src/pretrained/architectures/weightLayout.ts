/** Where the weights of an architecture stand between its input and its output, told by how their names begin. */
export interface WeightLayout {
  /** Tables and norms before the first layer. */
  embeddings: readonly string[];
  /** Stacks of layers; the names of layer n, counted from 0, begin with the prefix, n and a dot. */
  stacks: readonly { prefix: string; layers: number }[];
  /** What reads the source, its own embeddings included. */
  encoder: readonly string[];
  /** What transformers keeps as it is in training (buffers). */
  constants?: readonly string[];
}

const within = (prefixes: readonly string[] = [], name: string): boolean =>
  prefixes.some((prefix) => name.startsWith(prefix));

/** How far below the top embeddings lie: one below the first layer of the deepest stack. */
export function embeddingDepth({ stacks }: WeightLayout): number {
  return Math.max(0, ...stacks.map(({ layers }) => layers));
}

/** How many layers lie above a weight: 0 for the last layer of a stack and for whatever is in none, such as heads. */
export function layerDepth(layout: WeightLayout, name: string): number {
  if (within(layout.embeddings, name)) return embeddingDepth(layout);
  const stack = layout.stacks.find(({ prefix }) => name.startsWith(prefix));
  const layer = stack && Number.parseInt(name.slice(stack.prefix.length), 10);
  return layer === undefined || Number.isNaN(layer) ? 0 : stack!.layers - 1 - layer;
}

/**
 * Learning-rate factor of a weight under layer-wise decay (Sun et al. 2019, section 5.3.4; Howard and Ruder 2018, section 3.1):
 * `decay` for each layer above it.
 */
export function layerFactor(layout: WeightLayout, decay: number, name: string): number {
  return decay ** layerDepth(layout, name);
}

/**
 * Whether a weight is not to be trained.
 * @param freeze beginnings of names; `embeddings` and `encoder` stand for those of the layout
 */
export function isFrozen(layout: WeightLayout, freeze: readonly string[], name: string): boolean {
  return within(layout.constants, name) || freeze.some((part) => within(frozenPrefixes(layout, part), name));
}

/** What one entry of `freeze` stands for. */
export function frozenPrefixes(layout: WeightLayout, part: string): readonly string[] {
  if (part === 'embeddings') return layout.embeddings;
  if (part === 'encoder') return layout.encoder;
  return [part];
}
