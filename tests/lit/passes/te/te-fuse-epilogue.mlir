// RUN: lamina-opt %s -p te-fuse-epilogue | filecheck %s

// CHECK-LABEL: @a_residual_goes_into_the_epilogue
// CHECK-NEXT: te.compute
// CHECK-NEXT: axes(oc: 64, h: 14, w: 14, reduce ic: 32)
// CHECK-NEXT: ins(%x[ic, h, w], %k[oc, ic])
// CHECK-NEXT: extras(%bias[oc], %r[oc floordiv 16, h, w, oc mod 16])
// CHECK-NEXT: out(%y[(oc + 32) floordiv 16, h + 1, w + 1, oc mod 16])
// CHECK-NEXT: init
// CHECK-NEXT: schedule [vector oc]
// CHECK-NEXT: attributes {node = "second", at = "first"}
// CHECK: } epilogue (%v: f32, %c: f32, %b_1: f32) {
// CHECK-NEXT: %s = arith.addf %v, %c : f32
// CHECK-NEXT: %s_1 = arith.addf %s, %b_1 : f32
// CHECK-NEXT: %u = arith.negf %s_1 : f32
// CHECK-NEXT: te.yield %u : f32
// CHECK-NEXT: }
// CHECK-NEXT: func.return
func.func @a_residual_goes_into_the_epilogue(%x: memref<32x14x14xf32>, %k: memref<64x32xf32>, %bias: memref<64xf32>, %r: memref<4x14x14x16xf32>, %y: memref<6x16x16x16xf32>) {
  %t = memref.alloc() : memref<4x14x14x16xf32>
  te.compute axes(oc: 64, h: 14, w: 14, reduce ic: 32)
    ins(%x[ic, h, w], %k[oc, ic]) extras(%bias[oc]) out(%t[oc floordiv 16, h, w, oc mod 16]) init 0.0 : f32
    schedule [vector oc] attributes {at = "first"}
    : memref<32x14x14xf32>, memref<64x32xf32>, memref<64xf32>, memref<4x14x14x16xf32>
    (%a: f32, %b: f32, %acc: f32) { %f = math.fma %a, %b, %acc : f32  te.yield %f : f32 }
    epilogue (%v: f32, %c: f32) { %s = arith.addf %v, %c : f32  te.yield %s : f32 }
  te.compute axes(q: 64, i: 14, j: 14)
    ins(%t[q floordiv 16, i, j, q mod 16], %r[q floordiv 16, i, j, q mod 16]) out(%y[(q + 32) floordiv 16, i + 1, j + 1, q mod 16])
    init 0.0 : f32 attributes {node = "second"}
    : memref<4x14x14x16xf32>, memref<4x14x14x16xf32>, memref<6x16x16x16xf32>
    (%a: f32, %b: f32, %acc: f32) { %s = arith.addf %a, %b : f32  te.yield %s : f32 }
    epilogue (%v: f32) { %u = arith.negf %v : f32  te.yield %u : f32 }
  func.return
}

// CHECK-LABEL: @a_chain_of_pointwise_ops_becomes_one
// CHECK-NEXT: te.compute
// CHECK-NEXT: axes(i: 8)
// CHECK-NEXT: ins(%x[i])
// CHECK-NEXT: extras(%x[i])
// CHECK-NEXT: out(%y[i])
// CHECK: (%a: f32, %acc: f32) {
// CHECK-NEXT: arith.negf %a
// CHECK: epilogue (%v: f32, %b: f32) {
// CHECK-NEXT: %[[S:.*]] = arith.mulf %v, %v
// CHECK-NEXT: %[[R:.*]] = arith.subf %[[S]], %b
// CHECK-NEXT: te.yield %[[R]]
func.func @a_chain_of_pointwise_ops_becomes_one(%x: memref<8xf32>, %y: memref<8xf32>) {
  %t = memref.alloc() : memref<8xf32>
  %u = memref.alloca() : memref<8xf32>
  te.compute axes(i: 8) ins(%x[i]) out(%t[i]) init 0.0 : f32 : memref<8xf32>, memref<8xf32>
    (%a: f32, %acc: f32) { %n = arith.negf %a : f32  te.yield %n : f32 }
  te.compute axes(i: 8) ins(%t[i], %t[i]) out(%u[i]) init 0.0 : f32 : memref<8xf32>, memref<8xf32>, memref<8xf32>
    (%a: f32, %b: f32, %acc: f32) { %n = arith.mulf %a, %b : f32  te.yield %n : f32 }
  te.compute axes(i: 8) ins(%u[i], %x[i]) out(%y[i]) init 0.0 : f32 : memref<8xf32>, memref<8xf32>, memref<8xf32>
    (%a: f32, %b: f32, %acc: f32) { %n = arith.subf %a, %b : f32  te.yield %n : f32 }
  func.return
}

// The consumer walks over blocks and lanes, over another order, and over an extent of 1 that the producer lacks.
// CHECK-LABEL: @the_consumer_may_have_other_axes
// CHECK-NEXT: te.compute
// CHECK-NEXT: axes(h: 3, c: 32, reduce k: 2)
// CHECK: out(%y[0, c floordiv 16, h, c mod 16])
func.func @the_consumer_may_have_other_axes(%x: memref<3x32x2xf32>, %y: memref<1x2x3x16xf32>) {
  %t = memref.alloc() : memref<1x2x16x3xf32>
  te.compute axes(h: 3, c: 32, reduce k: 2) ins(%x[h, c, k]) out(%t[0, c floordiv 16, c mod 16, h]) init 0.0 : f32
    : memref<3x32x2xf32>, memref<1x2x16x3xf32>
    (%a: f32, %acc: f32) { %s = arith.addf %acc, %a : f32  te.yield %s : f32 }
  te.compute axes(n: 1, co: 2, i: 3, ci: 16) ins(%t[n, co, ci, i]) out(%y[n, co, i, ci]) init 0.0 : f32
    : memref<1x2x16x3xf32>, memref<1x2x3x16xf32>
    (%a: f32, %acc: f32) { %s = arith.negf %a : f32  te.yield %s : f32 }
  func.return
}

// CHECK-LABEL: @the_value_before_the_reduction_is_init
// CHECK: epilogue (%v: f32) {
// CHECK-NEXT: %[[I:.*]] = arith.constant 3.000000e+00 : f32
// CHECK-NEXT: arith.addf %[[I]], %v
func.func @the_value_before_the_reduction_is_init(%x: memref<8xf32>, %y: memref<8xf32>) {
  %t = memref.alloc() : memref<8xf32>
  te.compute axes(i: 8) ins(%x[i]) out(%t[i]) init 0.0 : f32 : memref<8xf32>, memref<8xf32>
    (%a: f32, %acc: f32) { te.yield %a : f32 }
  te.compute axes(i: 8) ins(%t[i]) out(%y[i]) init 3.0 : f32 : memref<8xf32>, memref<8xf32>
    (%a: f32, %acc: f32) { %n = arith.addf %acc, %a : f32  te.yield %n : f32 }
  func.return
}

// CHECK-LABEL: @inside_a_loop_indices_keep_their_names
// CHECK: te.compute at(r = %row, r1 = %col)
// CHECK-NEXT: axes(i: 8)
// CHECK-NEXT: ins(%x[r, i])
// CHECK-NEXT: extras(%x[r1, i])
// CHECK-NEXT: out(%y[r, r1, i])
func.func @inside_a_loop_indices_keep_their_names(%x: memref<4x8xf32>, %y: memref<4x4x8xf32>) {
  %t = memref.alloca() : memref<4x8xf32>
  loop.for %row < 4, %col < 4 {
    te.compute at(r = %row) axes(i: 8) ins(%x[r, i]) out(%t[r, i]) init 0.0 : f32 : memref<4x8xf32>, memref<4x8xf32>
      (%a: f32, %acc: f32) { te.yield %a : f32 }
    te.compute at(r = %col, q = %row) axes(j: 8) ins(%t[q, j], %x[r, j]) out(%y[q, r, j]) init 0.0 : f32 : memref<4x8xf32>, memref<4x8xf32>, memref<4x4x8xf32>
      (%a: f32, %b: f32, %acc: f32) { %n = arith.addf %b, %a : f32  te.yield %n : f32 }
  }
  func.return
}

// CHECK-LABEL: @what_the_caller_can_see_is_written
// CHECK-COUNT-2: te.compute
func.func @what_the_caller_can_see_is_written(%x: memref<8xf32>, %t: memref<8xf32>, %y: memref<8xf32>) {
  te.compute axes(i: 8) ins(%x[i]) out(%t[i]) init 0.0 : f32 : memref<8xf32>, memref<8xf32>
    (%a: f32, %acc: f32) { te.yield %a : f32 }
  te.compute axes(i: 8) ins(%t[i]) out(%y[i]) init 0.0 : f32 : memref<8xf32>, memref<8xf32>
    (%a: f32, %acc: f32) { te.yield %a : f32 }
  func.return
}

// CHECK-LABEL: @a_buffer_with_two_readers_is_written
// CHECK-COUNT-3: te.compute
func.func @a_buffer_with_two_readers_is_written(%x: memref<8xf32>, %y: memref<8xf32>, %z: memref<8xf32>) {
  %t = memref.alloc() : memref<8xf32>
  te.compute axes(i: 8) ins(%x[i]) out(%t[i]) init 0.0 : f32 : memref<8xf32>, memref<8xf32>
    (%a: f32, %acc: f32) { te.yield %a : f32 }
  te.compute axes(i: 8) ins(%t[i]) out(%y[i]) init 0.0 : f32 : memref<8xf32>, memref<8xf32>
    (%a: f32, %acc: f32) { te.yield %a : f32 }
  te.compute axes(i: 8) ins(%t[i]) out(%z[i]) init 0.0 : f32 : memref<8xf32>, memref<8xf32>
    (%a: f32, %acc: f32) { te.yield %a : f32 }
  func.return
}

// CHECK-LABEL: @a_consumer_of_other_points_stays
// CHECK-COUNT-2: te.compute
func.func @a_consumer_of_other_points_stays(%x: memref<8xf32>, %y: memref<7xf32>) {
  %t = memref.alloc() : memref<8xf32>
  te.compute axes(i: 8) ins(%x[i]) out(%t[i]) init 0.0 : f32 : memref<8xf32>, memref<8xf32>
    (%a: f32, %acc: f32) { te.yield %a : f32 }
  te.compute axes(i: 7) ins(%t[i + 1]) out(%y[i]) init 0.0 : f32 : memref<8xf32>, memref<7xf32>
    (%a: f32, %acc: f32) { te.yield %a : f32 }
  func.return
}

// CHECK-LABEL: @a_consumer_that_repeats_stays
// CHECK-COUNT-2: te.compute
func.func @a_consumer_that_repeats_stays(%x: memref<8xf32>, %y: memref<8x4xf32>) {
  %t = memref.alloc() : memref<8xf32>
  te.compute axes(i: 8) ins(%x[i]) out(%t[i]) init 0.0 : f32 : memref<8xf32>, memref<8xf32>
    (%a: f32, %acc: f32) { te.yield %a : f32 }
  te.compute axes(i: 8, j: 4) ins(%t[i]) out(%y[i, j]) init 0.0 : f32 : memref<8xf32>, memref<8x4xf32>
    (%a: f32, %acc: f32) { te.yield %a : f32 }
  func.return
}

// CHECK-LABEL: @a_consumer_that_reduces_stays
// CHECK-COUNT-2: te.compute
func.func @a_consumer_that_reduces_stays(%x: memref<8xf32>, %y: memref<f32>) {
  %t = memref.alloc() : memref<8xf32>
  te.compute axes(i: 8) ins(%x[i]) out(%t[i]) init 0.0 : f32 : memref<8xf32>, memref<8xf32>
    (%a: f32, %acc: f32) { te.yield %a : f32 }
  te.compute axes(reduce i: 8) ins(%t[i]) out(%y[]) init 0.0 : f32 : memref<8xf32>, memref<f32>
    (%a: f32, %acc: f32) { %s = arith.addf %acc, %a : f32  te.yield %s : f32 }
  func.return
}

// CHECK-LABEL: @a_producer_does_not_move_past_a_write_to_its_input
// CHECK-COUNT-3: te.compute
func.func @a_producer_does_not_move_past_a_write_to_its_input(%x: memref<8xf32>, %y: memref<8xf32>) {
  %t = memref.alloc() : memref<8xf32>
  te.compute axes(i: 8) ins(%x[i]) out(%t[i]) init 0.0 : f32 : memref<8xf32>, memref<8xf32>
    (%a: f32, %acc: f32) { te.yield %a : f32 }
  te.compute axes(i: 8) out(%x[i]) init 0.0 : f32 : memref<8xf32>
    (%acc: f32) { te.yield %acc : f32 }
  te.compute axes(i: 8) ins(%t[i]) out(%y[i]) init 0.0 : f32 : memref<8xf32>, memref<8xf32>
    (%a: f32, %acc: f32) { te.yield %a : f32 }
  func.return
}

// Every result needs its neighbours' old values of %x: they must all be read before %x is written.
// CHECK-LABEL: @results_do_not_overwrite_what_is_still_read
// CHECK-COUNT-2: te.compute
func.func @results_do_not_overwrite_what_is_still_read(%x: memref<8xf32>) {
  %t = memref.alloc() : memref<6xf32>
  te.compute axes(i: 6, reduce k: 3) ins(%x[i + k]) out(%t[i]) init 0.0 : f32 : memref<8xf32>, memref<6xf32>
    (%a: f32, %acc: f32) { %s = arith.addf %acc, %a : f32  te.yield %s : f32 }
  te.compute axes(i: 6) ins(%t[i]) out(%x[i]) init 0.0 : f32 : memref<6xf32>, memref<8xf32>
    (%a: f32, %acc: f32) { te.yield %a : f32 }
  func.return
}

// CHECK-LABEL: @arguments_that_may_share_memory_stay_apart
// CHECK-COUNT-2: te.compute
func.func @arguments_that_may_share_memory_stay_apart(%x: memref<8xf32> {lamina.may_alias}, %y: memref<8xf32> {lamina.may_alias}) {
  %t = memref.alloc() : memref<6xf32>
  te.compute axes(i: 6, reduce k: 3) ins(%x[i + k]) out(%t[i]) init 0.0 : f32 : memref<8xf32>, memref<6xf32>
    (%a: f32, %acc: f32) { %s = arith.addf %acc, %a : f32  te.yield %s : f32 }
  te.compute axes(i: 6) ins(%t[i]) out(%y[i]) init 0.0 : f32 : memref<6xf32>, memref<8xf32>
    (%a: f32, %acc: f32) { te.yield %a : f32 }
  func.return
}

// CHECK-LABEL: @a_consumer_with_a_schedule_of_its_own_stays
// CHECK-COUNT-2: te.compute
func.func @a_consumer_with_a_schedule_of_its_own_stays(%x: memref<8xf32>, %y: memref<8xf32>) {
  %t = memref.alloc() : memref<8xf32>
  te.compute axes(i: 8) ins(%x[i]) out(%t[i]) init 0.0 : f32 : memref<8xf32>, memref<8xf32>
    (%a: f32, %acc: f32) { te.yield %a : f32 }
  te.compute axes(i: 8) ins(%t[i]) out(%y[i]) init 0.0 : f32 schedule [vector i] : memref<8xf32>, memref<8xf32>
    (%a: f32, %acc: f32) { te.yield %a : f32 }
  func.return
}

// CHECK-LABEL: @a_consumer_joins_what_is_read_at_integers
// CHECK-NEXT: te.compute
// CHECK-NEXT: axes(i: 6)
// CHECK-NEXT: ins(%rows[i] as k: 8, %x[k])
// CHECK-NEXT: extras(%r[i])
// CHECK-NEXT: out(%y[i])
// CHECK-NOT: te.compute
func.func @a_consumer_joins_what_is_read_at_integers(%rows: memref<6xi32>, %x: memref<8xf32>, %r: memref<6xf32>, %y: memref<6xf32>) {
  %t = memref.alloc() : memref<6xf32>
  te.compute axes(i: 6) ins(%rows[i] as k: 8, %x[k]) out(%t[i]) init 0.0 : f32 : memref<6xi32>, memref<8xf32>, memref<6xf32>
    (%k: i32, %a: f32, %acc: f32) { te.yield %a : f32 }
  te.compute axes(k: 6) ins(%t[k], %r[k]) out(%y[k]) init 0.0 : f32 : memref<6xf32>, memref<6xf32>, memref<6xf32>
    (%a: f32, %b: f32, %acc: f32) { %s = arith.addf %a, %b : f32  te.yield %s : f32 }
  func.return
}

// An epilogue has no integers that say where to read.
// CHECK-LABEL: @a_consumer_that_reads_at_integers_stays
// CHECK-COUNT-2: te.compute
func.func @a_consumer_that_reads_at_integers_stays(%rows: memref<6xi32>, %x: memref<6xf32>, %r: memref<8xf32>, %y: memref<6xf32>) {
  %t = memref.alloc() : memref<6xf32>
  te.compute axes(i: 6) ins(%x[i]) out(%t[i]) init 0.0 : f32 : memref<6xf32>, memref<6xf32>
    (%a: f32, %acc: f32) { te.yield %a : f32 }
  te.compute axes(i: 6) ins(%t[i], %rows[i] as k: 8, %r[k]) out(%y[i]) init 0.0 : f32 : memref<6xf32>, memref<6xi32>, memref<8xf32>, memref<6xf32>
    (%a: f32, %k: i32, %b: f32, %acc: f32) { %s = arith.addf %a, %b : f32  te.yield %s : f32 }
  func.return
}

// The second op counts all elements, the first those of each group; both write blocks of 16.
// CHECK-LABEL: @a_consumer_joins_groups
// CHECK-NEXT: te.compute
// CHECK-NEXT: axes(g: 2, i: 32)
// CHECK-NEXT: ins(%x[g, i])
// CHECK-NEXT: extras(%r[g * 32 + i])
// CHECK-NEXT: out(%y[(g * 32 + i) floordiv 16, (g * 32 + i) mod 16])
// CHECK-NOT: te.compute
func.func @a_consumer_joins_groups(%x: memref<2x32xf32>, %r: memref<64xf32>, %y: memref<4x16xf32>) {
  %t = memref.alloc() : memref<4x16xf32>
  te.compute axes(g: 2, i: 32) ins(%x[g, i]) out(%t[(g * 32 + i) floordiv 16, (g * 32 + i) mod 16]) init 0.0 : f32 : memref<2x32xf32>, memref<4x16xf32>
    (%a: f32, %acc: f32) { te.yield %a : f32 }
  te.compute axes(c: 64) ins(%t[c floordiv 16, c mod 16], %r[c]) out(%y[c floordiv 16, c mod 16]) init 0.0 : f32 : memref<4x16xf32>, memref<64xf32>, memref<4x16xf32>
    (%a: f32, %b: f32, %acc: f32) { %s = arith.addf %a, %b : f32  te.yield %s : f32 }
  func.return
}

// -----

// Nobody writes a table, so the sum may move down to where %y is written.
// CHECK-LABEL: func.func @table_is_no_part_of_the_result
// CHECK:         te.compute
// CHECK:           ins(%x[k, c], %{{.*}}[k])
// CHECK-NEXT:      out(%y[c])
// CHECK-NOT:     te.compute
func.func @table_is_no_part_of_the_result(%x: memref<2x8xf32>, %y: memref<8xf32>) {
  %t = te.constant dense<[1.0, -1.0]> : tensor<2xf32> -> memref<2xf32>
  %b = memref.alloc() : memref<8xf32>
  te.compute
    axes(c: 8, reduce k: 2) ins(%x[k, c], %t[k]) out(%b[c]) init 0.0 : f32
    : memref<2x8xf32>, memref<2xf32>, memref<8xf32>
    (%a: f32, %w: f32, %acc: f32) {
      %p = arith.mulf %a, %w : f32
      %s = arith.addf %acc, %p : f32
      te.yield %s : f32
    }
  te.compute
    axes(c: 8) ins(%b[c]) out(%y[c]) init 0.0 : f32
    : memref<8xf32>, memref<8xf32>
    (%a: f32, %acc: f32) {
      %s = arith.negf %a : f32
      te.yield %s : f32
    }
  func.return
}
