/** The page: puts the parts together, and draws them from the store at most once a frame. */

import { Stack } from './stack.js';
import { foot, Liveness, Range, ThemeSwitch } from './controls.js';
import { el, setText, show } from './dom.js';
import { Events } from './events.js';
import { sayBehindMs } from './lag.js';
import { Live } from './live.js';
import { Marks } from './marks.js';
import { Overview } from './overview.js';
import { Reasons } from './reasons.js';
import { Replicas } from './replicas.js';
import { Head } from './service.js';
import { Store } from './store.js';
import { TokenForm } from './token.js';
import { format, isLive, type View } from './view.js';
import { needsAttention } from './words.js';

const narrow = matchMedia('(max-width: 699px)');

const store = new Store(draw);
function openDecision(decision: number | null): void {
  store.go({ decision });
  // What was asked for is shown, wherever on the page it was asked.
  if (decision !== null) reasons.root.scrollIntoView({ block: 'nearest' });
}

const marks = new Marks(openDecision);
const before: View['range'][] = []; // looked closer from, the last one last
const stack = new Stack(marks.root, (span) => {
  before.push(store.view.range);
  store.go({ range: span });
});
const themeSwitch = new ThemeSwitch(() => stack.repaint());
const range = new Range((range) => {
  before.length = 0;
  store.go({ range });
}, store.span);
const overview = new Overview(() => store.changed());
const head = new Head();
const reasons = new Reasons(openDecision);
const replicas = new Replicas();
const events = new Events(openDecision, () => store.changed());
const footer = foot(() => store.version);

const back = el('a', { class: 'back', href: '#/', text: '‹ all services' });
const problem = el('p', { class: 'problem', role: 'alert' });
const charts = el(
  'section',
  { class: 'panel charts', 'aria-labelledby': 'charts' },
  el('h2', { id: 'charts', class: 'unseen', text: 'Over time' }),
  problem,
  stack.root,
);
const service = el(
  'div',
  { class: 'service' },
  back,
  head.root,
  charts,
  reasons.root,
  replicas.root,
  events.root,
);
const message = el('div', { class: 'message' });
const version = el('span', { class: 'version' });
const refused = el('p', { class: 'banner', role: 'status' });
const tokenForm = new TokenForm(() => live.again());
const main = el('main', { id: 'main', tabindex: '-1' }, message, tokenForm.root, service);

const live = new Live({
  status: (status, behindMs) => store.take(status, behindMs),
  event: (event) => store.happened(event),
  connection: (connection) => store.connected(connection),
});
const liveness = new Liveness(() => live.again());

document.body.append(
  el('a', { class: 'skip', href: '#main', text: 'To the service', on: { click: skip } }),
  el(
    'header',
    { class: 'top' },
    el('p', { class: 'brand' }, 'Headroom', version),
    liveness.root,
    range.root,
    themeSwitch.root,
  ),
  liveness.banner,
  liveness.announced,
  refused,
  el('div', { class: 'page' }, overview.root, main),
  footer.root,
);

// The hash is the view's.
function skip(event: Event): void {
  event.preventDefault();
  main.focus();
}

addEventListener('keydown', (event) => {
  const typing =
    (event.target as Element).closest?.('input, select, textarea') &&
    (event.target as HTMLInputElement).type !== 'radio';
  const bare = !typing && !event.ctrlKey && !event.metaKey;
  if (event.key === '/' && bare && overview.search()) event.preventDefault();
  if (event.key === 'Escape') {
    if (range.close()) return;
    if (store.view.decision !== null) openDecision(null);
    else if (!isLive(store.view.range)) store.go({ range: before.pop() ?? '15m' });
  }
});
narrow.addEventListener('change', () => store.changed());
document.addEventListener('visibilitychange', () => store.changed());

// The time axis, ages and the wait for the next try go on without news, and so does a lag.
setInterval(() => {
  if (store.connection.state !== 'live' || store.behindMs() >= sayBehindMs) store.changed();
}, 1000);

/** Where none is named, the first that needs attention, or the first; a narrow page has its list. */
function choose(): void {
  if (store.view.name !== null || store.services.size === 0) return;
  if (narrow.matches && store.services.size > 1) return;
  const all = [...store.services.values()].sort((a, b) =>
    a.name.localeCompare(b.name, 'en', { numeric: true }),
  );
  const first = all.find((each) => needsAttention(each.state.mood)) ?? all[0]!;
  store.go({ name: first.name }, true);
}

function sayNothing(): void {
  const { name } = store.view;
  const text =
    store.connection.token && !store.heard
      ? 'This Headroom wants a token'
      : store.connection.state !== 'live' && !store.heard
        ? 'Connecting to Headroom …'
        : store.services.size === 0
          ? 'No service runs behind this Headroom.'
          : name === null
            ? 'Choose a service' // the list is all that there is on a narrow page
            : `There is no service “${name}” any more.`;
  if (message.dataset['said'] === text) return;
  message.dataset['said'] = text;
  message.replaceChildren(
    el('h1', { text, class: store.services.size && name === null ? 'unseen' : null }),
  );
  if (store.heard && store.services.size > 0 && name !== null) {
    message.append(el('a', { href: '#/', text: 'Show what there is' }));
  }
  if (store.heard && store.services.size === 0) {
    message.append(
      el('p', { text: 'Put one behind it:' }),
      el('pre', {
        text: "headroom run --listen :8080 --min 0 --max 8 -- ./server --port '$(PORT)'",
        tabindex: '0',
      }),
      el('p', {
        text: 'or name a document of several: headroom run services.yaml. They appear here by themselves.',
      }),
    );
  }
}

function draw(): void {
  if (document.hidden) return;
  choose();
  const { view, services, connection } = store;
  const [now, span, chosen] = [store.now(), store.span(), store.chosen()];
  setText(version, store.version);
  setText(
    refused,
    store.refused && `The document is refused, what ran before goes on: ${store.refused}`,
  );
  document.title = chosen ? `${chosen.name}: ${chosen.state.name} – Headroom` : 'Headroom';
  liveness.set(connection, { live: store.live(), span, now, behindMs: store.behindMs() });
  tokenForm.set(connection);
  range.set(view.range);
  footer.set(services.size);
  document.body.dataset['connection'] = connection.state;
  document.body.dataset['list'] =
    services.size > 1 ? (view.name === null ? 'only' : 'beside') : 'none';
  show(message, chosen === null);
  show(service, chosen !== null);
  overview.set({
    services,
    chosen: view.name,
    now,
    spark: (name) => store.spark(name),
    wantSpark: (name) => store.wantSpark(name),
    link: (name) => format({ ...view, name, decision: null }),
  });
  if (!chosen) {
    if (!message.hidden) sayNothing();
    return;
  }
  message.replaceChildren();
  delete message.dataset['said'];
  const decision = store.decision();
  const happened = store.events.list.filter((event) => event.unixMs >= span.since);
  const rescales = happened.filter((event) => event.kind === 'rescale' && event.decision !== null);
  const shown =
    view.decision !== null && decision !== null && typeof decision === 'object'
      ? { id: view.decision, unixMs: decision.unixMs }
      : null;
  head.set(chosen, store.events.list, now, store.live());
  stack.set({
    service: chosen,
    samples: store.series.samples,
    span,
    now,
    range: view.range,
    live: store.live(),
    lostSince: connection.state === 'lost' ? connection.since + now - Date.now() : null,
    events: rescales,
    chosen: shown,
    loading: store.loading,
  });
  marks.set(rescales, stack.axis(), view.decision, now);
  reasons.set(decision, rescales, view.decision, now);
  replicas.set(chosen);
  events.set(happened, store.events.more, view.decision, now);
  setText(problem, store.problem === null ? '' : `The history could not be read: ${store.problem}`);
}

store.changed();
