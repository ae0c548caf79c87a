// The frame of the page: who is here, which view, and the overview that is read every two seconds.
import {h, fill, data, number, plain, tell} from './dom.js';
import {current, openSession, read, remember} from './api.js';
import {consumers} from './consumers.js';
import {message, quarantine} from './quarantine.js';
import {deletion, plan, replay, replays} from './acts.js';
import {audit, why} from './lookups.js';
import {outbox, outboxAct, output} from './outbox.js';

const EVERY = 2000;
const PLACE = 'idempotency-console-place';
const VIEWS = {
    consumers, quarantine, message, plan, replays, replay, outbox, output, why, audit,
    drop: deletion('drop'), forget: deletion('forget'), resend: outboxAct('resend'), discard: outboxAct('discard'),
};
const PARENT = {message: 'quarantine', plan: 'quarantine', drop: 'quarantine', replay: 'replays', forget: 'why', output: 'outbox', resend: 'outbox', discard: 'outbox'};

const main = document.getElementById('main');
let overview = null;
let update = null;
let shownRoute = null;

function trouble(refused) {
    const place = document.getElementById('trouble');
    place.hidden = refused === null;
    fill(place, refused === null ? '' : data(refused.message, 600));
}

function parsed() {
    const [view, query] = location.hash.replace(/^#\/?/, '').split('?', 2);
    return {view: VIEWS[view] ? view : 'consumers', parameters: Object.fromEntries(new URLSearchParams(query ?? ''))};
}

/** Shows the view of the address. A view that was left in the meantime does not appear late: it filled an element of its own. */
async function show(isFirst = false) {
    const {view, parameters} = parsed();
    const route = location.hash;
    shownRoute = route;
    sessionStorage.setItem(PLACE, route);
    update = null;
    for (const link of document.querySelectorAll('nav a')) {
        link.setAttribute('aria-current', link.dataset.view === (PARENT[view] ?? view) ? 'page' : 'false');
    }
    const place = h('div', {class: `view ${view}`});
    try {
        const next = await VIEWS[view](place, parameters, overview);
        if (shownRoute !== route) {
            return;
        }
        update = typeof next === 'function' ? next : null;
        if (view === 'consumers') {
            update(overview);
        }
        trouble(null);
    } catch (refused) {
        if (shownRoute !== route) {
            return;
        }
        fill(place, h('h1', {tabindex: '-1'}, view === 'message' ? 'Message' : 'This did not work'), h('p', {class: 'notice bad', role: 'alert'}, data(refused.message, 600)));
    }
    main.replaceChildren(place);
    const title = main.querySelector('h1');
    document.title = `${title?.textContent ?? ''} – Idempotency`;
    if (!isFirst) {
        window.scrollTo(0, 0);
        title?.focus({preventScroll: true});
    }
}

function frame() {
    const standing = overview.consumers.reduce((sum, each) => sum + (each.standstills ?? []).filter(standstill => standstill.lasting !== false).length, 0);
    const quarantined = overview.consumers.reduce((sum, each) => sum + (each.quarantined ?? 0), 0);
    const badges = {
        standing: [standing, standing === 1 ? ' stands still' : ' stand still'],
        quarantined: [quarantined, ' messages'],
        refused: [overview.outbox?.refused ?? 0, ' refused'],
    };
    document.querySelector('nav [data-view=outbox]').hidden = !overview.outbox;
    for (const [id, [count, word]] of Object.entries(badges)) {
        const badge = document.getElementById(id);
        if (badge.dataset.count !== String(count)) {
            badge.dataset.count = count;
            badge.hidden = count === 0;
            fill(badge, number(count), h('span', {class: 'unseen'}, word));
            if (id === 'standing') {
                tell(count === 0 ? 'Nothing stands still' : count === 1 ? '1 partition stands still' : `${count} partitions stand still`);
            }
        }
    }
    const {user, mayWrite, whyNot} = current();
    fill(document.getElementById('who'), user ? data(user, 40) : 'not logged in',
            h('span', {class: mayWrite ? 'pill' : 'pill warn', title: mayWrite ? null : plain(whyNot ?? '')}, mayWrite ? 'may change' : 'read only'));
}

/** Asks again after two seconds, or later if the answers take long: a page that is open must not be what keeps a database busy. */
async function poll() {
    const began = performance.now();
    if (!document.hidden) {
        try {
            overview = await read('');
            remember(overview, performance.now());
            frame();
            await update?.(overview);
            trouble(null);
        } catch (refused) {
            trouble(refused);
        }
    }
    setTimeout(poll, Math.max(EVERY, 10 * (performance.now() - began)));
}

/** A login page loses what is behind the #, so the tab remembers it. */
function comeBack() {
    const place = sessionStorage.getItem(PLACE);
    if (location.hash === '' && place) {
        history.replaceState(null, '', place);
    }
}

/** Until the first answer there is nothing to show, so it is asked for until it comes. */
async function start() {
    try {
        await openSession();
        overview = await read('');
        remember(overview, performance.now());
        frame();
    } catch (refused) {
        trouble(refused);
        setTimeout(start, EVERY);
        return;
    }
    trouble(null);
    comeBack();
    window.addEventListener('hashchange', () => show());
    await show(true);
    setTimeout(poll, EVERY);
}

document.getElementById('skip').addEventListener('click', event => {
    event.preventDefault();
    main.focus();
});
await start();
