// Messages that failed for good: by failure, as pages, and one.
import {h, fill, data, shown, number, messages, ago, moment, shortClass, table, facts, choice, plain, span, since} from './dom.js';
import {current, nameOf, read, route} from './api.js';
import {hours} from './charts.js';
import {content, headers, isCut} from './payload.js';

const TIMES = [['', 'any time'], ['1h', 'last hour'], ['24h', 'last 24 hours'], ['7d', 'last 7 days']];
const MILLIS = {'1h': 3600e3, '24h': 86400e3, '7d': 604800e3};

/** The moment that a choice such as 24h means now. */
export const from = chosen => MILLIS[chosen] ? new Date(Date.now() - MILLIS[chosen]).toISOString() : chosen;

const PARTS = ['failureGroup', 'failureType', 'topic', 'partition', 'firstOffset', 'lastOffset'];

/** Why there are no buttons, if there are none. */
export const refusal = () => current().mayWrite ? null : h('p', {class: 'notice'}, 'Read only. ', data(current().whyNot, 300));

export async function quarantine(main, parameters, overview) {
    const consumer = parameters.consumer ?? [...overview.consumers].sort((one, other) => other.quarantined - one.quarantined)[0]?.consumer;
    if (consumer === undefined) {
        return fill(main, h('h1', {tabindex: '-1'}, 'Quarantine'), h('p', null, 'Nothing is remembered of any consumer yet.'));
    }
    const asked = {...parameters, consumer};
    const counted = read('groups', {consumer, from: from(parameters.from)}).then(found => found.groups);
    counted.catch(() => undefined);
    const filters = h('div', null, filter(asked, overview, []));
    const body = h('div', null);
    fill(main, h('h1', {tabindex: '-1'}, 'Quarantine of ', data(consumer, 60)), filters, refusal(), body);
    const isList = parameters.list || PARTS.some(part => parameters[part]);
    const show = groups => {
        const chosen = groups.filter(group => (!parameters.failureGroup || group.group === parameters.failureGroup)
                && (!parameters.failureType || group.failureTypes.includes(parameters.failureType)));
        fill(filters, filter(asked, overview, groups));
        examples(main, consumer, chosen).catch(() => undefined);
        return chosen;
    };
    if (isList) {
        // A page is quick, whatever there is; the counts come when they come.
        const page = await listed(asked);
        fill(body, page.element);
        counted.then(groups => page.title(show(groups))).catch(() => undefined);
    } else {
        const groups = await counted;
        fill(body, byFailure(asked, groups, groups.reduce((sum, group) => sum + group.messages, 0)));
        show(groups);
    }
}

function filter(parameters, overview, groups) {
    const types = [...new Set([...groups.flatMap(group => group.failureTypes), ...(parameters.failureType ? [parameters.failureType] : [])])].sort();
    const names = overview.consumers.map(each => [each.consumer, `${plain(each.consumer).slice(0, 60)} (${number(each.quarantined)})`]);
    return h('form', {
        class: 'filter',
        onchange: event => {
            const form = new FormData(event.currentTarget);
            const isOther = form.get('consumer') !== parameters.consumer;
            location.hash = route('quarantine', {
                consumer: form.get('consumer'),
                failureType: isOther ? '' : form.get('failureType'),
                from: form.get('from'),
                list: isOther ? '' : parameters.list,
            });
        },
        onsubmit: event => event.preventDefault(),
    },
    choice('consumer', 'Consumer', names, parameters.consumer),
    choice('failureType', 'Failure', [['', 'all failures'], ...types.map(type => [type, plain(type).slice(0, 90)])], parameters.failureType),
    choice('from', 'Quarantined', TIMES, parameters.from));
}

function byFailure(parameters, groups, total) {
    const {consumer} = parameters;
    if (groups.length === 0) {
        return h('p', {class: 'lead good'}, parameters.from ? 'No message of that time is in quarantine.' : 'No message is in quarantine.');
    }
    return [
        h('div', {class: 'row'}, h('p', {class: 'lead'}, `${messages(total)}, ${groups.length} ${groups.length === 1 ? 'failure' : 'failures'}`),
                h('p', {class: 'actions'},
                        h('a', {class: 'button', href: route('quarantine', {consumer, from: parameters.from, list: 'all'})}, 'List all'),
                        current().mayWrite && [h('a', {class: 'button', href: route('plan', {consumer, from: parameters.from})}, 'Replay all…'),
                            h('a', {class: 'button', href: route('drop', {consumer})}, 'Drop old ones…')])),
        h('ul', {class: 'groups'}, groups.map(group => one(parameters, group))),
        groups.length === 100 && h('p', {class: 'small'}, 'The 100 most frequent failures.'),
    ];
}

const LOOKED_AT = 10;

/** Shows the words of one failure of each group, as far as the user may read them. The view does not wait for it. */
async function examples(place, consumer, groups) {
    for (const group of groups.slice(0, LOOKED_AT)) {
        const slot = [...place.querySelectorAll('.example')].find(each => each.dataset.group === group.group);
        if (slot) {
            const {messages: [first]} = await read('quarantine', {consumer, failureGroup: group.group, limit: 1});
            const failure = first && (await read('message', {consumer, id: nameOf(first)})).failure;
            if (!failure) {
                return;
            }
            fill(slot, data(cause(failure), 240));
        }
    }
}

/** The innermost cause of a failure, which says most. */
function cause(failure) {
    const lines = String(failure).split('\n').filter((line, at) => at === 0 || line.startsWith('Caused by: '));
    return lines.at(-1).replace(/^Caused by: /, '');
}

function one({consumer, from: time}, group) {
    const chosen = {consumer, failureGroup: group.group, from: time};
    return h('li', {class: 'card'},
            h('div', {class: 'count'}, h('span', {class: 'big bad'}, number(group.messages)),
                    h('p', {class: 'small'}, group.lastHour ? `+${number(group.lastHour)} in the last hour` : 'none in the last hour')),
            h('div', {class: 'what'}, h('h2', null, h('a', {href: route('quarantine', chosen)}, group.failureTypes.map((type, at) => [at > 0 && ', ', data(shortClass(type), 100)]))),
                    h('p', {class: 'example', 'data-group': group.group}),
                    h('p', {class: 'small'}, 'first ', ago(group.oldest), ', last ', ago(group.newest), ', group ', data(group.group, 30))),
            h('div', {class: 'trend'}, hours(group.hours ?? []), h('p', {class: 'small'}, `${number(group.lastDay)} in 24 hours`)),
            h('p', {class: 'actions'}, h('a', {class: 'button', href: route('quarantine', chosen)}, 'Open'),
                    current().mayWrite && h('a', {class: 'button', href: route('plan', chosen)}, 'Replay…')));
}

async function listed(parameters) {
    const {consumer} = parameters;
    const selection = Object.fromEntries(PARTS.map(part => [part, parameters[part]]));
    const page = await read('quarantine', {consumer, ...selection, from: from(parameters.from), limit: 50, after: parameters.after});
    const place = parameters.topic && [' in ', data(`${parameters.topic}-${parameters.partition ?? ''}`, 60),
        parameters.firstOffset && ` from offset ${parameters.firstOffset} on`];
    const lead = h('p', {class: 'lead'}, page.messages.length ? 'Messages' : 'No message', place);
    const example = h('p', {class: 'example', 'data-group': parameters.failureGroup});
    const title = groups => groups.length > 0 && !parameters.topic
            && fill(lead, messages(groups.reduce((sum, group) => sum + group.messages, 0)),
                    parameters.failureGroup && [' that failed by ', data(groups[0].failureTypes.map(shortClass).join(', '), 100)]);
    const element = h('div', null,
            h('div', {class: 'row'}, lead,
                    h('p', {class: 'actions'}, h('a', {class: 'button', href: route('quarantine', {consumer, from: parameters.from})}, 'All failures'),
                            current().mayWrite && page.messages.length > 0
                                    && h('a', {class: 'button', href: route('plan', {consumer, ...selection, from: parameters.from})}, 'Replay these…'))),
            parameters.failureGroup && example,
            page.messages.length > 0 && table('Quarantined messages, in the order of topic, partition and offset',
                    ['Message', 'Position', 'Failed first', 'Failure', 'Attempts', 'Notes'], page.messages.map(row(consumer))),
            h('p', {class: 'actions'},
                    parameters.after && h('a', {class: 'button', href: route('quarantine', {...parameters, after: ''})}, 'First page'),
                    page.next && h('a', {class: 'button', href: route('quarantine', {...parameters, after: page.next})}, 'Next page')));
    return {element, title};
}

const row = consumer => message => [
    h('a', {href: route('message', {consumer, id: nameOf(message)})}, data(message.id, 80)),
    data(message.position, 80),
    moment(message.firstAt),
    data(shortClass(message.failureType), 80),
    number(message.attempts),
    [message.behind && 'behind another ', message.replay && h('a', {href: route('replay', {id: message.replay})}, 'in a replay')],
];

export async function message(main, {consumer, id, full}) {
    const found = await read('message', {consumer, id, full: full && true});
    const name = nameOf(found);
    const [, topic, partition, offset] = /^(.*)-(\d+)@(\d+)$/s.exec(found.position ?? '') ?? [];
    fill(main, h('h1', {tabindex: '-1'}, 'Message ', data(found.id, 64)), refusal(),
            [...found.id].length > 64 && h('details', null, h('summary', null, 'The whole id'), h('pre', null, shown(found.id))),
            found.hidden && h('p', {class: 'notice'}, data(found.hidden, 300)),
            h('section', {class: 'card'}, h('h2', null, 'Why it failed'),
                    h('p', {class: 'example'}, data(found.failure ? cause(found.failure) : found.failureType, 600)),
                    found.failure && h('details', null, h('summary', null, 'Stack trace'), h('pre', {tabindex: '0'}, shown(found.failure, true)))),
            current().mayWrite && h('p', {class: 'actions'},
                    h('a', {class: 'button main', href: route('plan', {consumer, id: name})}, 'Replay it…'),
                    h('a', {class: 'button', href: route('drop', {consumer, id: name})}, 'Drop it…')),
            facts([
                ['Consumer', h('a', {href: route('quarantine', {consumer})}, data(consumer, 80))],
                ['Position', data(found.position, 120)],
                ['Failed first', [moment(found.firstAt), ` (${span(since(found.firstAt))} ago)`]],
                ['Failed last', moment(found.at)],
                ['Time of the record', moment(found.recordTimestamp)],
                ['Attempts', number(found.attempts)],
                found.behind && ['Behind', 'an earlier message of its key; it did not fail itself'],
                found.behindIt > 0 && ['Behind it', h('a', {
                    href: topic ? route('quarantine', {consumer, topic, partition, firstOffset: Number(offset) + 1}) : route('quarantine', {consumer, list: 'all'}),
                }, `${messages(found.behindIt)} of its key`)],
                found.replay && ['Replay', h('a', {href: route('replay', {id: found.replay})}, data(found.replay, 60))],
                ['Bytes', ORIGINS[found.bytes] ?? found.bytes],
            ]),
            h('section', {class: 'card'}, h('h2', null, 'Key'), content(found.key, found.hidden)),
            h('section', {class: 'card'}, h('h2', null, 'Headers'), headers(found)),
            h('section', {class: 'card'}, h('h2', null, 'Value'), content(found.value, found.hidden)),
            !full && isCut(found) && h('p', {class: 'actions'},
                    h('a', {class: 'button', href: route('message', {consumer, id, full: 'true'})}, 'Show more of it')));
}

const ORIGINS = {
    RAW: 'as they came',
    REREAD: 'read again from Kafka',
    POSITION_ONLY: 'not kept; a replay reads them from Kafka',
    SWITCHED_OFF: 'not kept; a replay reads them from Kafka',
};
