// The main job, told once from the first connection to the last receipt: two months of Stripe go
// into Qonto, a person works the queue, everything is proved, and the connections are given back.
// The chapters build on each other.

import './stripe-to-qonto/connecting.mjs';
import './stripe-to-qonto/history.mjs';
import './stripe-to-qonto/looking.mjs';
import './stripe-to-qonto/review.mjs';
import './stripe-to-qonto/leaving.mjs';
