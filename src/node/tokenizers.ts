import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type SentencePieceEncoder, setSentencePieceModule } from '../text/sentencePiece.js';
import { setTokenizersModule, type TokenizersModule } from '../text/tokenizerJson.js';

/** Lets polybeam read tokenizer.json (npm `tokenizers`) and SentencePiece models (npm `sentencepiece-js`) in Node. */
export function installTokenizers(): void {
  setTokenizersModule(async () => (await import('tokenizers')).default as unknown as TokenizersModule);
  setSentencePieceModule({ load: loadSentencePieceModel });
}

// The package reads a model from a real file only.
async function loadSentencePieceModel(model: Uint8Array): Promise<SentencePieceEncoder> {
  const { default: sentencePiece } = await import('sentencepiece-js');
  const directory = await mkdtemp(join(tmpdir(), 'polybeam-'));
  try {
    const path = join(directory, 'sentencepiece.model');
    await writeFile(path, model);
    const processor = new sentencePiece.SentencePieceProcessor();
    await withoutItsListeners(() => processor.load(path));
    return processor;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/**
 * The package's WebAssembly wrapper takes over the process's handling of errors; its listeners, told by their source, go
 * again, so that the program's own handling stays.
 */
async function withoutItsListeners<T>(load: () => Promise<T>): Promise<T> {
  const events = ['uncaughtException', 'unhandledRejection'] as const;
  const before = events.map((event) => new Set(process.rawListeners(event)));
  const loaded = await load();
  for (const [at, event] of events.entries()) {
    for (const listener of process.rawListeners(event)) {
      const isIts = /^function\s*\((ex|reason)\)\s*\{(if\(!\(ex instanceof ExitStatus|throw reason)/.test(
        String(listener),
      );
      if (isIts && !before[at].has(listener)) process.removeListener(event, listener as () => void);
    }
  }
  return loaded;
}
