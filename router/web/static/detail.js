// The chosen call: who, what it is credited to and why, the visit, the course of the call, recordings.

import * as say from './format.js';

let shownRef = null, going = null, players = new Map();

function make(tag, class_, ...children) {
  const node = document.createElement(tag);
  if (class_) node.className = class_;
  node.append(...children.filter((child) => child !== null && child !== undefined && child !== ''));
  return node;
}

function icon(name) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  const use = document.createElementNS('http://www.w3.org/2000/svg', 'use');
  svg.setAttribute('aria-hidden', 'true');
  use.setAttribute('href', `#${name}`);
  svg.append(use);
  return svg;
}

const section = (title, ...children) => make('section', 'part', make('h3', '', title), ...children);

function facts(pairs) {
  const dl = make('dl', 'facts');
  for (const [name, value] of pairs) {
    if (value === null || value === undefined || value === '') continue;
    dl.append(make('dt', '', name), make('dd', '', value));
  }
  return dl;
}

// Only web addresses become links; whatever else a visitor's browser sent stays text.
function address(url) {
  if (!/^https?:\/\//i.test(url)) return url;
  const link = make('a', 'address', url);
  link.href = url;
  link.rel = 'noopener noreferrer';
  link.target = '_blank';
  return link;
}

export function draw(article, body, { now, close }) {
  const { call } = body;
  // a recording that is being listened to goes on when the call is drawn again
  if (shownRef !== call.ref) players = new Map();
  shownRef = call.ref;
  going = null;
  const open = new Set([...article.querySelectorAll('details[open]')].map((node) => node.dataset.name));
  article.replaceChildren(
    head(call, now, close), ...recordings(call), credited(body), ...rivals(body), ...why(body),
    ...visit(body), course(call, now), ...more(body),
  );
  article.querySelectorAll('details').forEach((node) => { node.open = open.has(node.dataset.name); });
}

export function tick(now) {
  if (going) going.node.textContent = `${going.words} ${say.stopwatch(now - going.since)}`;
}

function head(call, now, close) {
  const button = make('button', 'close', icon('i-close'));
  button.type = 'button';
  button.setAttribute('aria-label', 'Close this call');
  button.addEventListener('click', close);
  const chip = make('span', 'chip');
  chip.dataset.state = call.state === 'arrived' ? 'ringing' : call.state;
  chip.dataset.answered = call.answered_at ? 'yes' : 'no';
  if (call.state === 'ended') chip.textContent = call.answered_at ? `talked ${say.duration(call.talk_ms || 0)}` : say.outcome(call);
  else {
    const since = new Date(call.state === 'talking' ? call.answered_at : call.ringing_at || call.arrived_at).getTime();
    going = { node: chip, since, words: call.state === 'talking' ? 'talking' : 'ringing' };
    tick(now());
  }
  const route = make('p', 'route', call.number.readable, icon('i-arrow'), call.target || 'no line');
  return make('header', 'head', make('div', '', make('h2', '', say.callerName(call)), route), chip, button);
}

function recordings(call) {
  if (!call.recordings.length) return [];
  const parts = call.recordings.map((recording) => {
    if (!players.has(recording.id)) {
      const audio = make('audio');
      audio.controls = true;
      audio.preload = 'none';
      audio.src = recording.url;
      players.set(recording.id, audio);
    }
    const words = [say.duration(recording.duration_ms), say.bytes(recording.bytes), recording.truncated ? 'the end is missing' : ''];
    return make('figure', 'recording', players.get(recording.id), make('figcaption', '', words.filter(Boolean).join(' · ')));
  });
  return [section(parts.length > 1 ? 'Recordings' : 'Recording', ...parts)];
}

function meter(attribution) {
  const fill = make('span', 'fill');
  fill.style.width = `${Math.round(attribution.confidence * 100)}%`;
  const bar = make('span', 'meter large', fill);
  bar.setAttribute('role', 'img');
  bar.setAttribute('aria-label', `${attribution.words}, ${say.percent(attribution.confidence)}`);
  return bar;
}

function credited({ call }) {
  const { attribution } = call, credit = say.credit(attribution);
  const box = make('div', 'credit');
  box.dataset.surety = say.surety(attribution);
  if (credit) {
    box.append(make('p', 'credit-source', credit.source), make('p', 'credit-campaign', credit.campaign), meter(attribution));
  } else box.append(make('p', 'credit-source', 'Unknown'));
  box.append(make('p', 'sentence', say.sentence(attribution)));
  const extra = attribution ? facts([['Channel', attribution.channel_name], ['Keyword', attribution.term], ['Content', attribution.content], ['Pool', attribution.pool]]) : null;
  return section('Credited to', box, extra && extra.childElementCount ? extra : null);
}

const named = (of) => [[of.source, of.medium].filter(Boolean).join(' / ') || of.channel || 'direct', of.campaign].filter(Boolean).join(' · ');

// What another visitor was doing when the phone rang.
function doing({ state, age_s, tap_age_s }) {
  const age = age_s == null ? '' : say.duration(age_s * 1000);
  const states = { active: `on the page for ${age}`, idle: `page open for ${age}, not in use`, gone: `left ${age} before` };
  return [age && states[state], tap_age_s == null ? '' : 'tapped the number'].filter(Boolean).join(', ');
}

// Who else it could have been: shares of one whole, so that nobody takes "likely" for "sure".
function rivals({ decisions }) {
  const decision = decisions.find((each) => each.in_force);
  if (!decision || !decision.runners_up.length) return [];
  const shares = [];
  const { attribution, inputs } = decision;
  if (attribution.level === 'session') {
    shares.push({ p: attribution.confidence, name: named(attribution), note: 'this visit', class_: 'first' });
  }
  decision.runners_up.forEach((each, i) => shares.push({
    p: Number(each.p) || 0, name: named(each), class_: `other-${Math.min(i, 4)}`,
    note: doing(each),
  }));
  const rest = 1 - shares.reduce((sum, each) => sum + each.p, 0) - (inputs.p_none || 0);
  if (rest > 0.005) shares.push({ p: rest, name: 'Other visits together', note: '', class_: 'rest' });
  if (inputs.p_none) shares.push({ p: inputs.p_none, name: 'Saw the number elsewhere', note: '', class_: 'none' });
  const bar = make('div', 'shares');
  const table = make('ol', 'rivals');
  for (const { p, name, note, class_ } of shares) {
    const piece = make('span', `share ${class_}`);
    piece.style.flexGrow = String(Math.max(p, 0.004));
    bar.append(piece);
    table.append(make('li', '', make('span', `key ${class_}`), make('span', 'rival', name, make('small', '', note)), make('span', 'p', say.percent(p))));
  }
  bar.setAttribute('aria-hidden', 'true');
  return [section('Who it could have been', bar, table)];
}

function why({ decisions }) {
  const decision = decisions.find((each) => each.in_force);
  if (!decision || !decision.evidence.length) return [];
  const items = decision.evidence.map((each) => make('li', '', each.words));
  return [section('Why we think so', make('ul', 'reasons', ...items))];
}

function before(call, iso) {
  const ms = new Date(call.arrived_at) - new Date(iso);
  return ms >= 0 ? `${say.duration(ms)} before the call` : `${say.duration(-ms)} after the call`;
}

function visit({ call, session }) {
  if (!session) return [];
  const campaign = [session.source, session.medium].filter(Boolean).join(' / ') || 'direct';
  const clicks = Object.entries(session.click_ids).map(([name, value]) => `${name}=${value}`).join(' ');
  return [section('The visit', facts([
    ['Began', `${before(call, session.started_at)}, ${say.exactTime(session.started_at)}`],
    ['Landing page', address(session.landing_url)],
    ['Referrer', session.referrer && address(session.referrer)],
    ['Came from', campaign], ['Campaign', session.campaign], ['Keyword', session.term], ['Content', session.content],
    ['Click id', clicks],
    ['Device', session.device],
    ['Visit', session.ordinal > 1 ? `the visitor\u2019s visit no. ${session.ordinal}` : 'the visitor\u2019s first'],
    ['Tapped', session.tapped_at && before(call, session.tapped_at)],
    ['Copied', session.copied_at && before(call, session.copied_at)],
    ['Left', session.gone_at && before(call, session.gone_at)],
  ]))];
}

const BY = { caller: 'the caller', company: 'the company', system: 'the telephone system' };

function course(call) {
  const steps = [[call.arrived_at, 'Arrived', [call.trunk && `by ${call.trunk}`, call.site && `for ${call.site}`].filter(Boolean).join(', ')]];
  if (call.ringing_at) steps.push([call.ringing_at, `${call.target || 'The line'} rang`, say.route(call.route_source)]);
  if (call.answered_at) steps.push([call.answered_at, 'Answered', call.ring_ms === null ? '' : `after ${say.duration(call.ring_ms)} of ringing`]);
  if (call.ended_at) {
    const words = call.answered_at ? 'Hung up' : `Ended: ${say.outcome(call)}`;
    steps.push([call.ended_at, words, call.hung_up_by && `by ${BY[call.hung_up_by]}`]);
  }
  const track = make('ol', 'course');
  for (const [at, words, note] of steps) {
    const time = make('time', '', say.timeToSeconds(at));
    time.dateTime = at;
    time.title = say.exactTime(at);
    track.append(make('li', '', time, make('span', '', words, make('small', '', note || ''))));
  }
  return section('Course of the call', track);
}

function folded(name, title, content) {
  const node = make('details', 'folded', make('summary', '', title), content);
  node.dataset.name = name;
  return node;
}

function more({ decisions, events, call }) {
  const found = [];
  const earlier = decisions.filter((each) => !each.in_force);
  if (earlier.length) {
    const items = earlier.map((each) => make('li', '', `${say.exactTime(each.decided_at)}: ${say.sentence(each.attribution)}`));
    found.push(folded('earlier', `Earlier decisions (${earlier.length})`, make('ol', 'reasons', ...items)));
  }
  if (events.length) {
    const rows = events.map((each) => make('tr', '', make('td', '', each.at.slice(11, 23)), make('td', '', each.kind),
      make('td', '', Object.entries(each.data).map(([name, value]) => `${name}=${value}`).join(' '))));
    found.push(folded('events', `What Asterisk said (${events.length}, times in UTC)`, make('div', 'scroll', make('table', 'events', make('tbody', '', ...rows)))));
  }
  found.push(make('p', 'ids', `Call ${call.ref} · linkedid ${call.linkedid}`));
  return found;
}
