// Everything that changes something: first a dry run, then a reason, then the act. And replays while they run.
import {h, fill, data, number, messages, moment, ago, shortClass, span, table, facts, choice, field, tell, plain} from './dom.js';
import {current, read, route, write} from './api.js';
import {from, refusal} from './quarantine.js';
import {progress} from './charts.js';

export const failed = (place, refused) => fill(place, h('p', {class: 'notice bad', role: 'alert'}, data(refused.message, 600)));

export const isOn = button => button.form.reportValidity();

export const reasonField = reason => field('reason', 'Reason, for the audit', {required: true, maxlength: 200, placeholder: 'INC-42', value: reason ?? ''});

const LISTED = ['failureGroup', 'failureType', 'topic', 'partition', 'firstOffset', 'lastOffset', 'from', 'to', 'id'];
const NUMBERS = ['partition', 'firstOffset', 'lastOffset'];

/** The selection of the route, as the endpoint takes it. */
function selected(parameters) {
    const body = {consumer: parameters.consumer};
    for (const name of LISTED.filter(each => parameters[each])) {
        body[name] = name === 'from' ? from(parameters.from) : NUMBERS.includes(name) ? Number(parameters[name]) : parameters[name];
    }
    return body;
}

/** Replays a message, a failure, or all: a dry run, one message first, then the rest. */
export async function plan(main, parameters, overview) {
    const selection = selected(parameters);
    const level = overview.consumers.find(each => each.consumer === parameters.consumer)?.level;
    const result = h('div', {role: 'status'});
    const act = h('div', null);
    const form = h('form', {onsubmit: event => event.preventDefault()},
            h('div', {class: 'filter'},
                    field('perSecond', 'Messages a second', {type: 'number', min: 1, max: 10000, value: parameters.perSecond ?? 10, required: true, onchange: event => event.target.checkValidity() && look()}),
                    field('stopAfter', 'Stop after equal failures', {type: 'number', min: 1, max: 1000, value: 5, required: true}),
                    reasonField(parameters.reason)),
            level === 'AT_MOST_ONCE' && h('label', {class: 'check'}, h('input', {type: 'checkbox', name: 'mayRepeat'}),
                    'Effects may repeat: under AT_MOST_ONCE they may have happened before the failure'),
            act);
    const error = h('div', null);
    fill(main, h('h1', {tabindex: '-1'}, 'Replay messages of ', data(parameters.consumer, 60)), refusal(), chosenWords(parameters),
            current().mayWrite && h('section', {class: 'card'}, h('h2', null, 'Dry run'), result, form, error));
    const body = more => {
        const values = new FormData(form);
        return {...selection, perSecond: Number(values.get('perSecond')), stopAfter: Number(values.get('stopAfter')), mayRepeat: values.get('mayRepeat') === 'on', ...more};
    };
    const run = limit => async event => {
        if (!isOn(event.currentTarget)) {
            return;
        }
        const buttons = [...act.querySelectorAll('button')];
        buttons.forEach(button => button.disabled = true);
        const {reason, perSecond} = Object.fromEntries(new FormData(form));
        try {
            const replay = await write('replay', body({limit, reason: reason.trim(), dryRun: false}));
            location.hash = route('replay', {id: replay.id, then: limit ? route('plan', {...parameters, reason, perSecond}).slice(2) : ''});
        } catch (refused) {
            failed(error, refused);
            buttons.forEach(button => button.disabled = false);
        }
    };
    async function look() {
        try {
            const found = await write('replay', body({dryRun: true}));
            fill(result, ...planned(found, Number(new FormData(form).get('perSecond'))));
            fill(act, h('p', {class: 'actions'}, found.total > 1 && h('button', {type: 'button', class: 'main', onclick: run(1)}, 'Run 1 first'),
                    found.total > 0 && h('button', {type: 'button', class: found.total > 1 ? null : 'main', onclick: run(undefined)},
                            found.total > 1 ? `Run all ${number(found.total)}` : 'Run it'),
                    h('button', {type: 'button', onclick: look}, 'Look again')));
        } catch (refused) {
            failed(result, refused);
        }
    }
    if (current().mayWrite) {
        await look();
    }
}

function chosenWords(parameters) {
    const words = LISTED.filter(name => parameters[name]).map(name => [h('dt', null, {
        failureGroup: 'Failure group', failureType: 'Failure', topic: 'Topic', partition: 'Partition', firstOffset: 'From offset', lastOffset: 'To offset',
        from: 'Since', to: 'Until', id: 'Message',
    }[name]), h('dd', null, data(parameters[name], 200))]);
    return h('dl', {class: 'facts'}, words.length ? words.map(pair => h('div', null, pair))
            : h('div', null, h('dt', null, 'Messages'), h('dd', null, 'all in quarantine')));
}

function planned(found, perSecond) {
    const failures = Object.entries(found.byFailure ?? found.byFailureType ?? {});
    return [
        h('p', {class: 'sentence'}, found.total === 0 ? 'No message would run again.'
                : `${messages(found.total)} would run again; at ${number(perSecond)} a second this takes about ${span(Math.max(1, found.total / perSecond))}.`),
        h('ul', null,
                found.alreadyProcessed > 0 && h('li', null, `${number(found.alreadyProcessed)} are processed already and are only taken out.`),
                found.withoutBytes > 0 && h('li', null, `${number(found.withoutBytes)} have no bytes, and are read again from Kafka if it has them.`),
                found.inOtherReplays > 0 && h('li', null, `${number(found.inOtherReplays)} belong to other replays and stay there.`),
                failures.map(([type, count]) => h('li', null, `${number(count)} failed by `, data(shortClass(type), 100), '.')),
                found.oldest && h('li', null, 'The oldest is in quarantine since ', moment(found.oldest), '.'),
                found.total > 0 && h('li', null, 'Messages that fail from now on do not belong to it.')),
    ];
}

/** Drops or forgets: a dry run, a reason, then the act. */
export const deletion = verb => async (main, parameters) => {
    const isDrop = verb === 'drop';
    const result = h('div', {role: 'status'});
    const {consumer, id} = parameters;
    const form = h('form', {onsubmit: event => event.preventDefault()},
            !id && (isDrop
                    ? choice('olderThan', 'Quarantined before', [['24h', '24 hours ago'], ['7d', '7 days ago'], ['30d', '30 days ago']], '30d')
                    : h('div', {class: 'filter'}, field('topic', 'Topic', {required: true}), ['partition', 'firstOffset', 'lastOffset'].map((name, at) =>
                            field(name, ['Partition', 'First offset', 'Last offset'][at], {type: 'number', min: 0, required: true})))),
            h('div', {class: 'filter'}, reasonField('')),
            h('p', {class: 'actions'}, h('button', {type: 'button', onclick: event => act(event, true)}, 'Dry run'),
                    h('button', {type: 'button', class: 'danger', onclick: event => act(event, false)}, isDrop ? 'Drop' : 'Forget')));
    const before = {'24h': 1, '7d': 7, '30d': 30};
    function body(dryRun) {
        const values = new FormData(form);
        const chosen = id ? {id} : isDrop ? {olderThan: new Date(Date.now() - before[values.get('olderThan')] * 86400e3).toISOString()}
                : {topic: values.get('topic'), ...Object.fromEntries(NUMBERS.map(name => [name, Number(values.get(name))]))};
        return {consumer, ...chosen, ...(dryRun ? {} : {reason: values.get('reason').trim()}), dryRun};
    }
    async function act(event, dryRun) {
        if (!dryRun && !isOn(event.currentTarget)) {
            return;
        }
        try {
            const found = await write(verb, body(dryRun));
            const done = `${messages(found.messages)} ${dryRun ? 'would be' : found.messages === 1 ? 'is' : 'are'} ${isDrop ? 'dropped' : 'forgotten'}.`;
            fill(result, h('p', {class: 'sentence'}, done, found.quarantined > 0 && ` ${number(found.quarantined)} in quarantine stay: replay or drop them.`),
                    !dryRun && h('p', {class: 'actions'}, h('a', {class: 'button', href: route(isDrop ? 'quarantine' : 'why', {consumer})}, 'Go on')));
            if (!dryRun) {
                form.remove();
            }
        } catch (refused) {
            failed(result, refused);
        }
    }
    fill(main, h('h1', {tabindex: '-1'}, isDrop ? 'Drop from the quarantine of ' : 'Forget messages of ', data(consumer, 60)), refusal(),
            h('p', null, isDrop ? 'A dropped message is deleted for good, and copies of it are skipped.'
                    : 'A forgotten message is processed again when it is sent again. It is not fetched from anywhere.'),
            id && facts([['Message', data(id, 300)]]), current().mayWrite && [result, form]);
    if (id && current().mayWrite) {
        await act({}, true);
    }
};

export async function replays(main, {consumer}, overview) {
    const names = [...new Set([...(consumer ? [consumer] : []), ...overview.consumers.map(each => each.consumer)])];
    const body = h('div', null);
    fill(main, h('h1', {tabindex: '-1'}, 'Replays'),
            h('form', {class: 'filter', onsubmit: event => event.preventDefault(), onchange: event => (location.hash = route('replays', {consumer: event.target.value}))},
                    choice('consumer', 'Consumer', [['', 'all consumers'], ...names.map(name => [name, plain(name).slice(0, 60)])], consumer)),
            body);
    const look = async () => {
        const pages = await Promise.all((consumer ? [consumer] : names).map(name => read('replays', {consumer: name, limit: 20})));
        const all = pages.flatMap(page => page.replays).sort((one, other) => String(other.requestedAt).localeCompare(String(one.requestedAt)));
        fill(body, all.length === 0 ? h('p', null, 'No replay yet. Begin one at a failure in the quarantine.')
                : table('Replays, the newest first', ['Asked for', 'Consumer', 'Status', 'Progress', 'By', 'Reason'], all.map(replay => [
                    h('a', {href: route('replay', {id: replay.id})}, moment(replay.requestedAt)),
                    data(replay.consumer, 60), pill(replay),
                    [progress(replay), h('span', {class: 'small'}, words(replay))],
                    data(replay.actor, 40), data(replay.reason, 60)])));
        return all.some(replay => replay.status === 'RUNNING');
    };
    let isRunning = await look();
    return async () => {
        isRunning = isRunning && await look();
    };
}

const pill = replay => h('span', {
    class: replay.status === 'RUNNING' ? 'pill good' : replay.status === 'PAUSED' ? 'pill warn' : replay.status === 'STOPPED' || replay.failed > 0 ? 'pill bad' : 'pill',
}, String(replay.status).toLowerCase());

const handled = replay => replay.processed + replay.duplicates + replay.failed + replay.unreadable;

function words(replay) {
    const parts = [[replay.processed, 'processed'], [replay.duplicates, 'processed already'], [replay.failed, 'failed again'], [replay.unreadable, 'unreadable']];
    return `${number(handled(replay))} of ${number(replay.total)}`
            + parts.filter(([count]) => count > 0).map(([count, word], at) => `${at === 0 ? ': ' : ', '}${number(count)} ${word}`).join('');
}

/** One replay, while it runs. */
export async function replay(main, {id, then}, overview) {
    const waiting = h('div', null);
    const status = h('div', null);
    const buttons = h('form', {onsubmit: event => event.preventDefault()});
    const error = h('div', null);
    let told = '';
    let offered = '';
    const act = verb => async event => {
        if (!isOn(event.currentTarget)) {
            return;
        }
        try {
            show(await write(verb, {replay: id, reason: new FormData(buttons).get('reason').trim()}));
            fill(error);
        } catch (refused) {
            failed(error, refused);
        }
    };
    function show(found) {
        const left = found.status === 'RUNNING' && found.perSecond ? `, about ${span(Math.max(1, (found.total - handled(found)) / found.perSecond))} left` : '';
        fill(status, h('div', {class: 'row'}, h('p', {class: 'sentence'}, words(found), left, '.'), pill(found)), progress(found),
                found.stoppedBy && h('p', {class: 'notice bad'}, data(found.stoppedBy, 300)),
                found.status === 'DONE' && found.failed + found.unreadable === 0 && h('p', {class: 'lead good'}, 'Done.'),
                found.status === 'DONE' && found.failed + found.unreadable > 0 && h('p', {class: 'lead bad'}, 'Done. What failed again is still in quarantine.'),
                facts([['Consumer', h('a', {href: route('quarantine', {consumer: found.consumer})}, data(found.consumer, 60))], ['Messages', data(found.selection, 200)],
                    ['Asked for', [ago(found.requestedAt), ' by ', data(found.actor, 60)]], found.endedAt && ['Ended', moment(found.endedAt)],
                    ['Reason', data(found.reason, 200)], found.perSecond && ['Rate', `at most ${number(found.perSecond)} a second`]]));
        const isOpen = found.status === 'RUNNING' || found.status === 'PAUSED';
        const next = JSON.stringify([found.status, current().mayWrite]);
        if (next !== offered) {
            offered = next;
            fill(buttons, isOpen && current().mayWrite && [reasonField(found.reason), h('p', {class: 'actions'},
                    found.status === 'RUNNING' ? h('button', {type: 'button', onclick: act('pause')}, 'Pause')
                            : h('button', {type: 'button', class: 'main', onclick: act('resume')}, 'Resume'),
                    h('button', {type: 'button', class: 'danger', onclick: act('stop')}, 'Stop'))],
            !isOpen && then && current().mayWrite && h('p', {class: 'actions'}, h('a', {class: 'button main', href: '#/' + then}, 'Go on with the rest…')));
        }
        const news = isOpen ? `${String(found.status).toLowerCase()}, ${Math.floor((handled(found) / Math.max(1, found.total)) * 4) * 25} percent` : `${String(found.status).toLowerCase()}: ${words(found)}`;
        if (news !== told) {
            told = news;
            tell(`Replay ${news}`);
        }
        return isOpen;
    }
    fill(main, h('h1', {tabindex: '-1'}, 'Replay'), refusal(), status, waiting, buttons, error);
    const look = async now => {
        const found = await read('replay', {replay: id});
        const standing = (now.consumers.find(each => each.consumer === found.consumer)?.standstills ?? []).map(each => each.partition);
        fill(waiting, found.status === 'RUNNING' && standing.length > 0 && h('p', {class: 'notice'},
                'It waits with ', standing.map((partition, at) => [at > 0 && ', ', data(partition, 60)]),
                standing.length === 1 ? ', which makes no progress itself. That partition is tried every 30 s, and then both go on.'
                : ', which make no progress themselves. These partitions are tried every 30 s, and then all go on.'));
        return show(found);
    };
    let isOpen = await look(overview);
    return async now => {
        isOpen = isOpen && await look(now);
    };
}
