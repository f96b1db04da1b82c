// The live page: a list of calls kept up to date by server-sent events, and the chosen call beside it.
// All text from visitors and callers goes through textContent: nothing here builds HTML from it.

import { draw as drawDetail, tick as tickDetail } from './detail.js';
import * as say from './format.js';

const POLL_MS = 30000, SILENCE_MS = 40000, COALESCE_MS = 250, PAGE = 50;
const byId = (id) => document.getElementById(id);
const list = byId('calls'), rowTemplate = byId('row');

const calls = new Map(), rows = new Map();
let filter = 'all', older = null, chosen = null, clockOffset = 0, loaded = false;
let feed = null, heardAt = 0, attempts = 0, reopening = null, refreshing = null, again = false;

export const serverNow = () => Date.now() + clockOffset;

// ---- asking ----

class SignedOut extends Error {}

async function ask(path) {
  const answer = await fetch(path, { headers: { Accept: 'application/json' }, signal: AbortSignal.timeout(8000) });
  if (answer.status === 401) throw new SignedOut();
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  const body = await answer.json();
  clockOffset = new Date(body.now).getTime() - Date.now();
  return body;
}

async function refresh() {
  const wanted = filter;
  const body = await ask(`/v1/calls?limit=${PAGE}&state=${wanted}`);
  if (wanted !== filter) return;
  const top = new Set(body.calls.map((call) => call.ref));
  const last = body.calls.length ? body.calls[body.calls.length - 1].arrived_at : null;
  for (const [ref, call] of calls) {
    // what stood in the part that was read again and is not there any more: it left this filter
    if (!top.has(ref) && (last === null || body.before === null || call.arrived_at > last)) calls.delete(ref);
  }
  body.calls.forEach(take);
  if (older === null || calls.size <= PAGE) older = body.before;
  loaded = true;
  drawList();
}

// However many changes arrive, one request is under way and at most one waits.
function refreshSoon(delay = COALESCE_MS) {
  if (refreshing) { again = true; return; }
  refreshing = setTimeout(async () => {
    try {
      await refresh();
      notice('');
      if (chosen) await showChosen();
    } catch (error) {
      complain(error);
    }
    refreshing = null;
    if (again) { again = false; refreshSoon(); }
  }, delay);
}

function complain(error) {
  if (error instanceof SignedOut) return signedOut();
  notice('The list could not be read just now; trying again.');
}

function take(call) {
  const before = calls.get(call.ref);
  calls.set(call.ref, call);
  if (loaded && !before && call.state !== 'ended') announce(call);
}

function announce(call) {
  const credit = say.credit(call.attribution);
  byId('aloud').textContent =
    `Call from ${say.callerName(call)}` + (credit ? `, ${call.attribution.words} ${credit.source} ${credit.campaign}` : '');
}

// ---- the list ----

function drawList() {
  const sorted = [...calls.values()].sort((a, b) => (a.arrived_at < b.arrived_at ? 1 : a.arrived_at > b.arrived_at ? -1 : 0));
  const now = new Date(serverNow());
  const wanted = [];
  let lastDay = null;
  for (const call of sorted) {
    const name = say.dayName(call.arrived_at, now);
    if (name !== lastDay) { wanted.push(heading(name)); lastDay = name; }
    wanted.push(drawRow(call));
  }
  for (const [ref] of rows) if (!calls.has(ref)) rows.delete(ref);
  wanted.forEach((node, i) => { if (list.children[i] !== node) list.insertBefore(node, list.children[i] || null); });
  while (list.children.length > wanted.length) list.lastChild.remove();
  byId('more').hidden = !older;
  drawEmpty(!sorted.length);
  drawGoing(sorted);
}

const headings = new Map();
function heading(name) {
  if (!headings.has(name)) {
    const li = document.createElement('li');
    li.className = 'day';
    li.textContent = name;
    headings.set(name, li);
  }
  return headings.get(name);
}

function drawEmpty(empty) {
  byId('empty').hidden = !empty;
  byId('empty-title').textContent = filter === 'live' ? 'Nobody is calling' : 'No calls yet';
  byId('empty-words').textContent = filter === 'live'
    ? 'Calls that ring or talk appear here.'
    : 'The next call to one of your numbers appears here while it rings, with the visit it came from.';
}

function drawGoing(sorted) {
  const count = (states) => sorted.filter((call) => states.includes(call.state)).length;
  const ringing = count(['arrived', 'ringing']), talking = count(['talking']);
  const parts = [];
  if (ringing) parts.push(`${ringing} ringing`);
  if (talking) parts.push(`${talking} talking`);
  byId('going').textContent = parts.join(' · ');
  document.title = (ringing ? `(${ringing}) ringing · ` : '') + 'Calls · call-router';
}

function drawRow(call) {
  let li = rows.get(call.ref);
  if (!li) {
    li = rowTemplate.content.firstElementChild.cloneNode(true);
    li.firstElementChild.addEventListener('click', () => choose(call.ref));
    rows.set(call.ref, li);
  }
  const row = li.firstElementChild;
  const find = (name) => row.querySelector(`.${name}`);
  row.dataset.state = call.state === 'arrived' ? 'ringing' : call.state;
  row.dataset.answered = call.answered_at ? 'yes' : 'no';
  row.setAttribute('aria-current', call.ref === chosen ? 'true' : 'false');
  find('caller').textContent = say.callerName(call);
  const line = call.target ? `\u2192 ${call.target}` : '';
  find('where').textContent = [line, `dialled ${call.number.readable}`].filter(Boolean).join(' · ');
  drawFrom(find, call.attribution);
  find('time').textContent = say.timeOfDay(call.arrived_at);
  find('time').title = say.exactTime(call.arrived_at);
  drawHow(row, call);
  return li;
}

function drawFrom(find, attribution) {
  const credit = say.credit(attribution);
  find('source').textContent = credit ? credit.source : attribution ? 'Source unknown' : 'Not yet known';
  const landing = credit && say.landing(attribution.landing_url);
  for (const [class_, words] of [['campaign', credit && credit.campaign], ['landing', landing]]) {
    if (!words) continue;
    const part = document.createElement('span');
    part.className = class_;
    part.textContent = words;
    find('source').append(part);
  }
  if (attribution && attribution.landing_url) find('source').title = attribution.landing_url;
  const box = find('surety');
  box.dataset.surety = say.surety(attribution);
  find('fill').style.width = `${credit ? Math.round(attribution.confidence * 100) : 0}%`;
  find('words').textContent = say.surely(attribution);
}

function drawHow(row, call) {
  const how = row.querySelector('.how');
  if (call.state === 'talking') how.textContent = say.stopwatch(serverNow() - new Date(call.answered_at).getTime());
  else if (call.state !== 'ended') how.textContent = `rings ${say.stopwatch(serverNow() - new Date(call.ringing_at || call.arrived_at).getTime())}`;
  else how.textContent = call.answered_at ? say.duration(call.talk_ms || 0) : say.outcome(call);
  row.querySelector('.heard').toggleAttribute('hidden', !call.recordings.length);
}

// ---- the chosen call ----

async function choose(ref) {
  chosen = ref;
  history.replaceState(null, '', ref ? `#${ref}` : location.pathname);
  for (const [each, li] of rows) li.firstElementChild.setAttribute('aria-current', each === ref ? 'true' : 'false');
  byId('panes').classList.toggle('chosen', Boolean(ref));
  byId('choose').hidden = Boolean(ref);
  byId('call').hidden = !ref;
  if (!ref) return;
  byId('call').replaceChildren();
  try { await showChosen(); } catch (error) { complain(error); return; }
  byId('detail').scrollTop = 0;
}

async function showChosen() {
  const ref = chosen;
  const body = await ask(`/v1/calls/${encodeURIComponent(ref)}`);
  if (ref === chosen) drawDetail(byId('call'), body, { now: serverNow, close });
}

function close() {
  const row = rows.get(chosen);
  choose(null);
  if (row) row.firstElementChild.focus();
}

// ---- the line ----

const LINE_WORDS = { connecting: 'Connecting', live: 'Live', lost: 'Connection lost, trying again', out: 'Signed out' };
function line(state) {
  byId('line').dataset.state = state;
  byId('line-words').textContent = LINE_WORDS[state];
}

function notice(words) {
  byId('notice').textContent = words;
  byId('notice').hidden = !words;
}

function signedOut() {
  if (feed) feed.close();
  feed = null;
  line('out');
  notice('You are signed out. Make a new link with \u201ccall-router sign-in\u201d and open it in this browser.');
}

function open() {
  reopening = null;
  if (feed) feed.close();
  heardAt = Date.now();
  feed = new EventSource('/v1/feed');
  const heard = (then) => (event) => { heardAt = Date.now(); line('live'); attempts = 0; then(event); };
  // whatever happened while nobody listened is in the list
  feed.addEventListener('hello', heard(() => refreshSoon(0)));
  feed.addEventListener('tick', heard(() => {}));
  feed.addEventListener('call', heard(() => refreshSoon()));
  feed.addEventListener('error', lost);
}

async function lost() {
  if (reopening || !feed) return;
  feed.close();
  line('lost');
  attempts += 1;
  const wait = Math.min(15000, 500 * 2 ** Math.min(attempts, 6)) * (0.5 + Math.random() / 2);
  reopening = setTimeout(async () => {
    try { await ask('/v1/calls?limit=1'); } catch (error) {
      if (error instanceof SignedOut) return signedOut();
    }
    open();
  }, wait);
}

// ---- beginning ----

list.addEventListener('keydown', (event) => {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step) return;
  const buttons = [...list.querySelectorAll('.row')];
  const next = buttons[buttons.indexOf(document.activeElement) + step];
  if (next) { next.focus(); event.preventDefault(); }
});
document.addEventListener('keydown', (event) => { if (event.key === 'Escape' && chosen) close(); });

document.querySelectorAll('[data-filter]').forEach((button) => button.addEventListener('click', () => {
  filter = button.dataset.filter;
  document.querySelectorAll('[data-filter]').forEach((each) => each.setAttribute('aria-pressed', String(each === button)));
  calls.clear(); older = null; loaded = false;
  refreshSoon(0);
}));

byId('more').addEventListener('click', async () => {
  try {
    const body = await ask(`/v1/calls?limit=${PAGE}&state=${filter}&before=${encodeURIComponent(older)}`);
    older = body.before;
    body.calls.forEach((call) => calls.set(call.ref, call));
    drawList();
  } catch (error) { complain(error); }
});

setInterval(() => {
  for (const call of calls.values()) {
    if (call.state !== 'ended' && rows.has(call.ref)) drawHow(rows.get(call.ref).firstElementChild, call);
  }
  tickDetail(serverNow());
  if (feed && Date.now() - heardAt > SILENCE_MS) lost();
}, 1000);
// Calls that another router process handles are not in this one's feed.
setInterval(() => { if (!document.hidden) refreshSoon(0); }, POLL_MS);
addEventListener('online', () => { if (reopening) { clearTimeout(reopening); open(); } });

open();
if (location.hash.length > 1) choose(location.hash.slice(1));
