package io.idempotency.samples.orders;

import java.net.URI;
import java.util.UUID;
import org.springframework.http.HttpStatus;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RestController;

/** Accepts orders over HTTP. A client without an answer sends the same order again. */
@RestController
@RequestMapping("/orders")
class OrderController {

    private final Orders orders;

    OrderController(Orders orders) {
        this.orders = orders;
    }

    /** Answers 201 to a new order, 200 to a repeated one, and 409 to another order with the same id. */
    @PostMapping
    ResponseEntity<Order> place(@RequestBody Order order) {
        if (orders.place(order)) {
            return ResponseEntity.created(URI.create("/orders/" + order.id())).body(order);
        }
        return orders.find(order.id()).filter(order::equals).isPresent()
                ? ResponseEntity.ok(order)
                : ResponseEntity.status(HttpStatus.CONFLICT).build();
    }

    @GetMapping("/{id}")
    ResponseEntity<Order> find(@PathVariable UUID id) {
        return ResponseEntity.of(orders.find(id));
    }
}
