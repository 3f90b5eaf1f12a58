import fc from 'fast-check';

// One seed for every property, so that CI is repeatable; FC_SEED explores others. It is printed by a failing run.
fc.configureGlobal({ seed: Number(process.env['FC_SEED'] ?? 19111293) });
