/** The look of a report: narrow screens first, colors for light and dark. */
export const reportStyle = `
:root {
  color-scheme: light dark;
  --back: #ffffff; --card: #f6f8fa; --text: #1f2328; --quiet: #59636e; --line: #d1d9e0;
  --missing: #ffd8d3; --added: #ffe7b3;
  --plot-0: #4269d0; --plot-1: #d97706; --plot-2: #0d9488; --plot-3: #db2777; --plot-4: #7c3aed; --plot-5: #64748b;
}
@media (prefers-color-scheme: dark) {
  :root {
    --back: #0d1117; --card: #161b22; --text: #e6edf3; --quiet: #9198a1; --line: #3d444d;
    --missing: #6e2b2b; --added: #5d4411;
    --plot-0: #7f9cf5; --plot-1: #f59e0b; --plot-2: #2dd4bf; --plot-3: #f472b6; --plot-4: #a78bfa; --plot-5: #94a3b8;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--back); color: var(--text); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 1100px; margin: 0 auto; padding: 12px; }
h1 { font-size: 1.5rem; margin: 0.3em 0; overflow-wrap: anywhere; }
h2 { font-size: 1.2rem; margin: 0.6em 0; overflow-wrap: anywhere; }
summary > h2 { display: inline; }
h3 { font-size: 1rem; margin: 0 0 0.4em; }
section { margin-top: 1.5em; }
.scroll { overflow-x: auto; max-width: 100%; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 0.9rem; }
th, td { padding: 4px 10px 4px 0; text-align: left; border-bottom: 1px solid var(--line); vertical-align: top; }
thead th { max-width: 16em; overflow-wrap: break-word; }
tbody th { font-weight: 600; }
section:first-of-type tbody th { white-space: nowrap; }
.note, .score { color: var(--quiet); font-size: 0.85rem; font-weight: normal; }
.plots { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 330px), 1fr)); gap: 12px; margin: 1em 0; }
figure { margin: 0; min-width: 0; }
figure svg { max-width: 100%; height: auto; }
.alignment svg { max-width: none; }
.signatures { font: 0.8rem/1.5 ui-monospace, monospace; overflow-wrap: anywhere; padding-left: 1.2em; }
article { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 10px 12px; margin: 10px 0; }
article p { margin: 0.3em 0; overflow-wrap: anywhere; }
article b { display: block; color: var(--quiet); font-size: 0.8rem; font-weight: 600; }
.pair { display: grid; gap: 4px 20px; }
.source { max-height: 9em; overflow-y: auto; }
del, ins { text-decoration: none; border-radius: 3px; padding: 0 2px; color: inherit; }
del { background: var(--missing); }
ins { background: var(--added); }
summary { cursor: pointer; }
@media (min-width: 700px) {
  .pair { grid-template-columns: 1fr 1fr; }
}
`;
