// What became of a message, and who changed what.
import {h, fill, data, moment, number, table, facts, choice, field, plain} from './dom.js';
import {current, read, route} from './api.js';
import {from} from './quarantine.js';

export async function why(main, {consumer, id}, overview) {
    const names = overview.consumers.map(each => [each.consumer, plain(each.consumer).slice(0, 60)]);
    const result = h('div', {role: 'status'});
    fill(main, h('h1', {tabindex: '-1'}, 'Why?'),
            h('p', null, 'Says why a message was handled, skipped or neither.'),
            h('form', {
                class: 'filter',
                onsubmit: event => {
                    event.preventDefault();
                    const form = new FormData(event.currentTarget);
                    location.hash = route('why', {consumer: form.get('consumer'), id: form.get('id').trim()});
                },
            },
            choice('consumer', 'Consumer', names, consumer),
            field('id', 'Message id, or position of a quarantined message', {required: true, value: id ?? '', placeholder: '4711 or orders-3@18272'}),
            h('button', {class: 'main'}, 'Ask')),
            result,
            current().mayWrite && consumer && h('p', {class: 'actions'}, h('a', {class: 'button', href: route('forget', {consumer})}, 'Forget a range of offsets…')));
    if (id) {
        const {messages} = await read('why', {consumer: consumer ?? names[0]?.[0], id});
        fill(result, messages.map(explained));
    }
}

function explained(found) {
    const isKept = found.status === 'QUARANTINED';
    return h('section', {class: 'answer'},
            h('p', {class: 'sentence'}, data(found.sentence, 2000)),
            facts([
                ['Status', String(found.status).toLowerCase()],
                ['Message', data(found.id, 200)],
                found.position && ['Position', data(found.position, 120)],
                found.at && ['At', moment(found.at)],
                found.attempt && ['Attempt', number(found.attempt)],
                found.failureType && ['Failure', data(found.failureType, 200)],
                found.rememberedUntil && ['Remembered until', moment(found.rememberedUntil)],
                found.rememberedSince && ['Everything is known since', moment(found.rememberedSince)],
            ]),
            h('p', {class: 'actions'},
                    isKept && h('a', {class: 'button main', href: route('message', {consumer: found.consumer, id: found.id})}, 'Open it'),
                    found.replay && h('a', {class: 'button', href: route('replay', {id: found.replay})}, 'Its replay'),
                    found.status === 'PROCESSED' && current().mayWrite
                            && h('a', {class: 'button', href: route('forget', {consumer: found.consumer, id: found.id})}, 'Forget it…')));
}

const TIMES = [['24h', 'last 24 hours'], ['7d', 'last 7 days'], ['', 'any time']];

export async function audit(main, {consumer, since}, overview) {
    const {acts} = await read('audit', {consumer, since: from(since), limit: 100});
    const names = overview.consumers.map(each => [each.consumer, plain(each.consumer).slice(0, 60)]);
    fill(main, h('h1', {tabindex: '-1'}, 'Audit'),
            h('form', {
                class: 'filter',
                onsubmit: event => event.preventDefault(),
                onchange: event => {
                    const form = new FormData(event.currentTarget);
                    location.hash = route('audit', {consumer: form.get('consumer'), since: form.get('since')});
                },
            },
            choice('consumer', 'Consumer', [['', 'all consumers'], ...names], consumer),
            choice('since', 'Time', TIMES, since)),
            acts.length === 0 ? h('p', null, 'Nobody has changed anything in that time.')
                    : table('Acts, the newest first', ['At', 'Who', 'From', 'Act', 'Consumer', 'Messages', 'Of what', 'Reason'], acts.map(act => [
                        moment(act.at), data(act.actor, 60), data(act.origin, 20), h('strong', null, data(act.verb, 30)), data(act.consumer, 60),
                        number(act.messages), data(act.subject, 160), data(act.reason, 120)])),
            acts.length === 100 && h('p', {class: 'small'}, 'The newest 100.'));
}
