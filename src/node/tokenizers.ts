import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setSentencePieceModule } from '../text/sentencePiece.js';
import type { SentencePieceEncoder } from '../text/sentencePieceModel.js';
import { setTokenizersModule, type TokenizersModule } from '../text/tokenizerJson.js';

const require = createRequire(import.meta.url);

/** Lets polybeam read tokenizer.json (npm `tokenizers`) and SentencePiece models (npm `sentencepiece-js`) in Node. */
export function installTokenizers(): void {
  // By require: import() would search its file for exports first, which takes longer than to load it.
  setTokenizersModule(async () => require('tokenizers') as TokenizersModule);
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
    // load() drops the status, and a model that it could not read makes no pieces of any text.
    const status = processor.processor.status().ToString();
    if (status !== 'OK') throw new Error(status);
    // Its conversion to UTF-8 takes half a surrogate pair and the next character for one pair.
    return { encodePieces: (text) => processor.encodePieces(text.replace(/\p{Surrogate}/gu, '\uFFFD')) };
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
  try {
    return await load();
  } finally {
    for (const [at, event] of events.entries()) {
      for (const listener of process.rawListeners(event)) {
        const isIts = /^function\s*\((ex|reason)\)\s*\{(if\(!\(ex instanceof ExitStatus|throw reason)/.test(
          String(listener),
        );
        if (isIts && !before[at].has(listener)) process.removeListener(event, listener as () => void);
      }
    }
  }
}
