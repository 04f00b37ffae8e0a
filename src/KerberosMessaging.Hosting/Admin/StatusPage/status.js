'use strict';

// Shows what /admin/v1/stats, /admin/v1/audit and /health say, again and again. Text from the server is only ever set as text.
const everyMs = 2000;
const keptPoints = 150;
const storageKey = 'admin-token';
const byId = id => document.getElementById(id);

const number = new Intl.NumberFormat();
// What is not known yet is null.
const count = value => value === null ? '–' : number.format(value);
const rate = value => value < 10 ? value.toFixed(1) : count(Math.round(value));

function bytes(value) {
  if (value === null) {
    return '–';
  }
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

// Ages are told by the server's clock: this machine's may be wrong.
let clockOffsetMs = 0;

function age(time) {
  if (time === null) {
    return 'none';
  }
  const seconds = Math.max(0, Math.round((Date.now() + clockOffsetMs - Date.parse(time)) / 1000));
  if (seconds < 60) {
    return `${seconds} s`;
  }
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) {
    return `${minutes} min ${seconds % 60} s`;
  }
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

// In the order in which they are shown; a server shows those it has.
const figures = [
  ['connections', 'Connections', count],
  ['signedIn', 'Signed in', count],
  ['messagesPerSecond', 'Messages a second', rate],
  ['queueDepth', 'Messages waiting', count],
  ['oldestMessageAt', 'Oldest waiting for', age],
  ['queueBytes', 'Waiting bytes', bytes],
  ['mailboxes', 'Mailboxes', count],
  ['blobs', 'Blobs', count],
  ['blobBytes', 'Blob bytes', bytes],
  ['databaseBytes', 'Database', bytes],
  ['loginsLastMinute', 'Logins, last minute', count],
  ['failedLoginsLastMinute', 'Failed, last minute', count],
  ['livingSessions', 'Living sessions', count],
  ['clients', 'Clients', count],
  ['disabledClients', 'Disabled clients', count],
  ['devices', 'Devices', count],
  ['lockouts', 'Lockouts', count],
  ['messageServers', 'Message servers', count],
  ['startedAt', 'Running for', age],
];

let token = sessionStorage.getItem(storageKey);
let timer = 0;
let turn = 0;
const points = [];

class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

async function get(path) {
  const response = await fetch(path, { headers: { Authorization: `Bearer ${token}` }, cache: 'no-store' });
  const date = Date.parse(response.headers.get('Date'));
  if (!Number.isNaN(date) && Math.abs(date - Date.now() - clockOffsetMs) > 1500) {
    clockOffsetMs = date - Date.now();
  }
  const body = await response.json().catch(() => ({}));
  if (!response.ok && !path.startsWith('health')) {
    throw new Refused(response.status, body.detail ?? body.title ?? `The server answered ${response.status}.`);
  }
  return body;
}

function element(name, text, className) {
  const made = document.createElement(name);
  made.textContent = text;
  if (className) {
    made.className = className;
  }
  return made;
}

function setState(text, className) {
  const state = byId('state');
  state.className = `state ${className}`;

  // Readers of screens speak every change, so only real ones are made.
  if (state.textContent !== text) {
    state.textContent = text;
  }
}

function showProblem(text) {
  byId('problem').hidden = text === null;
  byId('problem').textContent = text ?? '';
}

function showFigures(stats) {
  byId('figures').replaceChildren(...figures
    .filter(([name]) => stats[name] !== undefined)
    .map(([name, label, format]) => {
      const card = document.createElement('div');
      card.dataset.figure = name;
      card.append(element('dt', label), element('dd', format(stats[name])));
      return card;
    }));
}

function showRate(value) {
  byId('rate').hidden = value === undefined;
  if (value === undefined) {
    return;
  }
  points.push(value);
  if (points.length > keptPoints) {
    points.shift();
  }
  const top = Math.max(1, ...points);
  const step = 600 / (keptPoints - 1);
  const x = index => 600 - (points.length - 1 - index) * step;
  const line = points.map((point, index) => `${index === 0 ? 'M' : 'L'}${x(index).toFixed(1)} ${(76 - point / top * 70).toFixed(1)}`).join('');
  byId('line').setAttribute('d', line);
  byId('area').setAttribute('d', `${line}V80H${x(0).toFixed(1)}Z`);
  byId('rate-span').textContent = `last ${Math.round(keptPoints * everyMs / 60000)} minutes`;
  byId('rate-top').textContent = `Highest shown: ${rate(Math.max(...points))}`;
}

function showHealth(health) {
  const grades = { healthy: 'good', degraded: 'warn', unhealthy: 'bad' };

  // An unhealthy server answers with a problem, whose status is 503.
  const status = grades[health.status] ? health.status : 'unhealthy';
  const checks = health.checks ?? [];
  byId('checks').hidden = checks.length === 0;
  byId('check-list').replaceChildren(...checks.map(check => {
    const item = document.createElement('li');
    item.append(element('strong', check.status, grades[check.status]), element('span', `${check.name}: ${check.detail}`));
    return item;
  }));
  setState(status[0].toUpperCase() + status.slice(1), grades[status]);
}

function words(kind) {
  const text = kind.replace(/([A-Z])/g, ' $1').toLowerCase();
  return text[0].toUpperCase() + text.slice(1);
}

function showEvents(events) {
  byId('no-events').hidden = events.length > 0;
  byId('no-events').textContent = 'Nothing was written yet.';
  byId('events').tBodies[0].replaceChildren(...events.map(event => {
    const row = document.createElement('tr');
    row.className = event.result;
    const time = element('time', new Date(event.at).toLocaleString());
    time.dateTime = event.at;
    const cell = document.createElement('td');
    cell.append(time);
    row.append(cell, element('td', words(event.kind)), element('td', event.actor), element('td', event.target), element('td', event.detail));
    return row;
  }));
}

async function readEvents() {
  try {
    showEvents((await get('admin/v1/audit?limit=10')).items);
  } catch (error) {
    if (!(error instanceof Refused) || error.status !== 403) {
      throw error;
    }
    byId('events').tBodies[0].replaceChildren();
    byId('no-events').hidden = false;
    byId('no-events').textContent = 'This token lacks the scope audit:read.';
  }
}

async function refresh() {
  const mine = ++turn;
  clearTimeout(timer);
  try {
    const stats = await get('admin/v1/stats');
    if (mine !== turn) {
      return;
    }
    byId('sign-in').hidden = true;
    byId('live').hidden = false;
    showProblem(null);
    showFigures(stats);
    showRate(stats.messagesPerSecond);
    showHealth(await get('health'));
    await readEvents();
  } catch (error) {
    if (mine !== turn) {
      return;
    }
    if (error instanceof Refused && (error.status === 401 || error.status === 403)) {
      signOut();
      showProblem(error.status === 401 ? 'The token is wrong, has ended or was revoked.' : error.message);
      return;
    }
    setState('Not reachable', 'bad');
    showProblem(error instanceof Refused ? error.message : 'The server does not answer. The figures below are the last ones it gave; this page goes on asking.');
  }
  if (mine === turn && token !== null && !document.hidden) {
    timer = setTimeout(refresh, everyMs);
  }
}

function signOut() {
  turn++;
  clearTimeout(timer);
  token = null;
  sessionStorage.removeItem(storageKey);
  points.length = 0;
  byId('live').hidden = true;
  byId('sign-in').hidden = false;
  setState('Not signed in', 'waiting');
  showProblem(null);
}

byId('sign-in').addEventListener('submit', event => {
  event.preventDefault();
  token = byId('token').value.trim();
  byId('token').value = '';
  if (!/^[\x21-\x7e]+$/.test(token)) {
    token = null;
    showProblem('A token is one word of visible ASCII characters.');
    return;
  }
  sessionStorage.setItem(storageKey, token);
  refresh();
});
byId('sign-out').addEventListener('click', signOut);
document.addEventListener('visibilitychange', () => {
  if (!document.hidden && token !== null) {
    refresh();
  }
});
byId('title').textContent = document.title = document.documentElement.dataset.title ?? document.title;
if (token !== null) {
  refresh();
}
