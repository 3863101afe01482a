import { loadModel } from '../src/node.js';
import type { LoadReply, LoadRequest } from './load.js';
import { residentMemory } from './memory.js';

// Run by the load bench in a process of its own: nothing is compiled, nothing warm, nothing else in memory.
const { directory, sources, steps, threads } = JSON.parse(process.argv[2]) as LoadRequest;
const inputs = sources.map((inputIds) => ({ inputIds }));
const before = residentMemory();
const start = performance.now();
const model = await loadModel(directory, { threads });
await model.generate(inputs.slice(0, 1), { numBeams: 4, minNewTokens: 1, maxNewTokens: 1 });
const ms = performance.now() - start;
const loaded = residentMemory();
await model.generate(inputs, { numBeams: 4, minNewTokens: steps, maxNewTokens: steps });
const decoded = residentMemory();
const reply: LoadReply = { ms, before, loaded, decoded, peak: process.resourceUsage().maxRSS * 1024 };
process.stdout.write(`${JSON.stringify(reply)}\n`);
