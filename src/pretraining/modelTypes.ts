/** Architectures that pre-training makes anew: an encoder with a decoder, and three kinds of one stack. */
export const pretrainedModelTypes = ['marian', 'unilm', 'bert', 'roformer'] as const;

/** Name of such an architecture. */
export type PretrainedModelType = (typeof pretrainedModelTypes)[number];
