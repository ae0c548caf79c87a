// What every consumer does, and what stands still and why.
import {h, fill, data, number, messages, rate, span, since, ago, moment, seconds, plain} from './dom.js';
import {SAMPLES, instances, ratesOf, route} from './api.js';
import {ages, sparkline} from './charts.js';
import {refusedWords, waitingWords} from './outbox.js';

/** From this age on, in seconds, outputs that wait are worth a sentence. */
const LONG = 60;

const KINDS = {redelivery: 'redelivered', resend: 'sent again', unknown: 'position unknown'};

export function consumers(main) {
    const verdict = h('div', {class: 'verdict'});
    const standing = h('ul', {class: 'standing'});
    const list = h('div', {class: 'consumers'});
    const foot = h('p', {class: 'foot'});
    fill(main, h('h1', {tabindex: '-1'}, 'Consumers'), verdict, standing, list, foot);
    const cards = new Map();
    let shownStandstills = '';
    return overview => {
        const all = overview.consumers.flatMap(each => (each.standstills ?? []).map(standstill => ({consumer: each.consumer, ...standstill})));
        fill(verdict, ...sentences(overview, all.filter(each => each.lasting !== false), all.filter(each => each.lasting === false)));
        const key = JSON.stringify(all);
        if (key !== shownStandstills) {
            shownStandstills = key;
            standing.replaceChildren(...all.map(standstill));
        }
        for (const slot of standing.querySelectorAll('[data-since]')) {
            slot.textContent = span(since(slot.dataset.since));
        }
        if (overview.consumers.length !== cards.size || overview.consumers.some(each => !cards.has(each.consumer))) {
            cards.clear();
            overview.consumers.forEach(each => cards.set(each.consumer, card(each)));
            list.replaceChildren(...[...overview.consumers].sort(byTrouble).map(each => cards.get(each.consumer).element));
        }
        overview.consumers.forEach(each => cards.get(each.consumer).update(each, ratesOf(overview, each.consumer)));
        fill(foot, 'Rates and duplicates: this instance, ', data(overview.instance, 60), ', since its start. Quarantine: all instances.',
                instances().length > 1 && ` ${instances().length} instances have answered in turn; each has its own rates.`);
    };
}

/** What needs somebody comes first; then what has something in quarantine. */
const byTrouble = (one, other) => (other.standstills ?? []).length - (one.standstills ?? []).length || other.running - one.running;

function sentences(overview, all, waiting) {
    if (overview.consumers.length === 0) {
        return [h('p', {class: 'lead'}, 'Nothing is remembered of any consumer yet.')];
    }
    const quarantined = overview.consumers.reduce((sum, each) => sum + (each.quarantined ?? 0), 0);
    const oldest = overview.consumers.map(each => each.oldestQuarantined).filter(Boolean).sort()[0];
    return [
        h('p', {class: all.length ? 'lead bad' : 'lead good'},
                all.length === 0 ? 'Nothing stands still at this instance.'
                : all.length === 1 ? '1 partition stands still.' : `${all.length} partitions stand still.`),
        waiting.length > 0 && h('p', {class: 'lead'}, waiting.length === 1 ? '1 partition waits.' : `${waiting.length} partitions wait.`),
        h('p', {class: 'lead'}, quarantined === 0 ? 'The quarantine is empty.'
                : [`${messages(quarantined)} in quarantine, the oldest from `, oldest ? ago(oldest) : 'an unknown time', '.']),
        overview.outbox?.refused > 0 && h('p', {class: 'lead'}, h('a', {href: route('outbox')}, refusedWords(overview.outbox))),
        overview.outbox?.oldestSeconds >= LONG && h('p', {class: 'lead'}, waitingWords(overview.outbox)),
    ];
}

function standstill(each) {
    const waits = each.lasting === false;
    return h('li', {class: waits ? 'waits' : null},
            h('h2', null, h('strong', null, data(each.partition, 60)), ' of ', data(each.consumer, 60),
                    waits ? ' waits for ' : ' stands still for ', h('span', {'data-since': each.since}, span(since(each.since)))),
            h('dl', {class: 'facts'},
                    h('div', null, h('dt', null, 'At'), h('dd', null, data(each.position), each.id && [', message ', data(each.id, 60)])),
                    h('div', null, h('dt', null, 'Why'), h('dd', {class: 'cause'}, data(each.why, 300))),
                    h('div', null, h('dt', null, 'What helps'), h('dd', null, data(each.help, 400)))),
            h('p', {class: 'actions'},
                    each.id && h('a', {class: 'button', href: route('why', {consumer: each.consumer, id: each.id})}, 'Ask why'),
                    h('a', {class: 'button', href: route('quarantine', {consumer: each.consumer})}, 'Failures of ', data(each.consumer, 40))));
}

function card(first) {
    const slots = {};
    const slot = (name, tag = 'div', properties = {}) => (slots[name] = h(tag, {class: name, ...properties}));
    const element = h('section', {class: 'card', 'aria-label': plain(first.consumer)},
            h('div', {class: 'title'}, h('h2', null, data(first.consumer, 80)), slot('state', 'span'), slot('meta', 'p')),
            h('div', {class: 'cell'}, h('h3', null, 'Rate, this instance'), slot('rates'), slot('line')),
            h('div', {class: 'cell'}, h('h3', null, 'Duplicates, this instance'), slot('kinds')),
            h('div', {class: 'cell'}, h('h3', null, 'Age of duplicates'), slot('age')),
            h('div', {class: 'cell'}, h('h3', null, 'Quarantine'), slot('kept')));
    const link = h('a', {class: 'big', href: route('quarantine', {consumer: first.consumer})}, '0');
    slots.kept.append(link, h('p', {class: 'small'}));
    return {element, update: (each, rates) => update(slots, link, each, rates)};
}

function update(slots, link, each, rates) {
    const standstills = each.standstills ?? [];
    const stands = standstills.some(standstill => standstill.lasting !== false);
    fill(slots.state, h('span', {class: stands ? 'pill bad' : standstills.length ? 'pill warn' : each.running ? 'pill good' : 'pill'},
            stands ? 'stands still' : standstills.length ? 'waits' : each.running ? 'runs' : 'not in this instance'));
    fill(slots.meta, [
        each.level,
        each.store && `store ${each.store}`,
        each.transactionPer && (each.transactionPer === 'none' ? 'no transaction' : `a transaction per ${each.transactionPer}`),
        each.retention && `remembers ${span(seconds(each.retention))}`,
    ].filter(Boolean).join(' · '), each.rememberedSince && [', since ', moment(each.rememberedSince)]);
    const last = kind => rates?.[kind].at(-1) ?? 0;
    fill(slots.rates, h('span', {class: 'big'}, rates ? rate(last('processed')) : '…'), ' processed/s',
            last('failed') > 0 && h('span', {class: 'warn'}, `, ${rate(last('failed'))} failed/s`));
    fill(slots.line, sparkline(`Processed and failed in the last ${span(SAMPLES * 2)}, now ${rates ? rate(last('processed')) : 'unknown'} a second`,
            rates?.processed ?? [], rates?.failed ?? [], SAMPLES));
    fill(slots.kinds, duplicates(each, last('duplicates')));
    fill(slots.age, age(each));
    link.className = each.quarantined ? 'big bad' : 'big';
    fill(link, number(each.quarantined), h('span', {class: 'unseen'}, ' messages in quarantine'));
    fill(slots.kept.lastChild, each.quarantined ? ['the oldest ', ago(each.oldestQuarantined)] : 'empty');
}

function duplicates(each, perSecond) {
    const counts = Object.entries(each.counts?.duplicates ?? {});
    const total = counts.reduce((sum, [, count]) => sum + count, 0);
    if (!each.counts) {
        return h('p', {class: 'small'}, 'not counted in this instance');
    }
    return [
        h('p', null, h('span', {class: 'big'}, number(total)), ` skipped, ${rate(perSecond)}/s`),
        h('ul', {class: 'small'}, counts.filter(([, count]) => count > 0).map(([kind, count]) => h('li', null, `${number(count)} ${KINDS[kind] ?? kind}`))),
    ];
}

function age(each) {
    const [p50, p99, max] = ['p50', 'p99', 'max'].map(name => seconds(each.duplicateAge?.[name]));
    const retention = seconds(each.retention);
    if (max === null) {
        return h('p', {class: 'small'}, 'no duplicate yet');
    }
    return [
        retention && ages({p50: p50 ?? 0, p99: p99 ?? max, max}, retention),
        h('p', {class: 'small'}, p50 !== null && `half within ${span(p50)}, `, p99 !== null && `99 % within ${span(p99)}, `,
                h('strong', {class: retention && max > retention / 2 ? 'warn' : null}, `latest ${span(max)}`), retention && ` of ${span(retention)}`),
    ];
}
