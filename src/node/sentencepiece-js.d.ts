// The package has no types of its own.
declare module 'sentencepiece-js' {
  export class SentencePieceProcessor {
    /** Reads a model from a path, through node:fs. */
    load(path: string): Promise<void>;
    /** The wrapped C++ object; its status says whether `load` could read the model ("OK"). */
    processor: { status(): { ToString(): string } };
    encodePieces(text: string): string[];
    encodeIds(text: string): number[];
    decodeIds(ids: number[]): string;
  }
  const module: { SentencePieceProcessor: typeof SentencePieceProcessor };
  export default module;
}
