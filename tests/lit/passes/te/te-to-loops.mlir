// RUN: lamina-opt %s -p te-to-loops | filecheck %s

// CHECK-LABEL: func.func @leading_axes_become_loops
// CHECK-NEXT:    loop.for %i < 4 parallel {
// CHECK-NEXT:      loop.for %j < 8 {
// CHECK-NEXT:        te.compute at(i = %i, j = %j)
// CHECK-NEXT:          axes(v: 16 vector)
// CHECK-NEXT:          ins(%x[i, j, v])
// CHECK-NEXT:          out(%y[i, j, v])
func.func @leading_axes_become_loops(%x: memref<4x8x16xf32>, %y: memref<4x8x16xf32>) {
  te.compute
    axes(i: 4 parallel, j: 8, v: 16 vector) ins(%x[i, j, v]) out(%y[i, j, v]) init 0.0 : f32
    : memref<4x8x16xf32>, memref<4x8x16xf32>
    (%a: f32, %acc: f32) { te.yield %a : f32 }
  func.return
}

// CHECK-LABEL: func.func @axes_inside_a_reduction_stay
// CHECK-NEXT:    loop.for %i < 4 {
// CHECK-NEXT:      te.compute at(i = %i)
// CHECK-NEXT:        axes(reduce k: 8, j: 2 unroll)
func.func @axes_inside_a_reduction_stay(%x: memref<4x2x8xf32>, %y: memref<4x2xf32>) {
  te.compute
    axes(i: 4, reduce k: 8, j: 2 unroll) ins(%x[i, j, k]) out(%y[i, j]) init 0.0 : f32
    : memref<4x2x8xf32>, memref<4x2xf32>
    (%a: f32, %acc: f32) {
      %s = arith.addf %acc, %a : f32
      te.yield %s : f32
    }
  func.return
}

// CHECK-LABEL: func.func @unrolled_axes_go_inside_the_loops
// CHECK-NEXT:    loop.for %j < 8 {
// CHECK-NEXT:      te.compute at(j = %j)
// CHECK-NEXT:        axes(i: 4 unroll)
func.func @unrolled_axes_go_inside_the_loops(%x: memref<4x8xf32>, %y: memref<4x8xf32>) {
  te.compute
    axes(i: 4 unroll, j: 8) ins(%x[i, j]) out(%y[i, j]) init 0.0 : f32
    : memref<4x8xf32>, memref<4x8xf32>
    (%a: f32, %acc: f32) { te.yield %a : f32 }
  func.return
}

// CHECK-LABEL: func.func @the_step_that_a_bound_cuts_is_an_op_of_its_own
// CHECK-NEXT:    loop.for %jo < 3 {
// CHECK-NEXT:      te.compute at(jo = %jo)
// CHECK-NEXT:        axes(ji: 3 unroll)
// CHECK-NEXT:        ins(%x[ji + jo * 3])
// CHECK:         te.compute
// CHECK-NEXT:      axes(ji: 3 unroll) where ji + 9 < 10
// CHECK-NEXT:      ins(%x[ji + 9])
func.func @the_step_that_a_bound_cuts_is_an_op_of_its_own(%x: memref<10xf32>, %y: memref<10xf32>) {
  te.compute
    axes(jo: 4, ji: 3 unroll) where ji + jo * 3 < 10 ins(%x[ji + jo * 3]) out(%y[ji + jo * 3])
    init 0.0 : f32
    : memref<10xf32>, memref<10xf32>
    (%a: f32, %acc: f32) { te.yield %a : f32 }
  func.return
}

// CHECK-LABEL: func.func @steps_outside_a_bound_are_dropped
// CHECK-NEXT:    te.compute
// CHECK-NEXT:      axes(ji: 4 unroll)
// CHECK-NEXT:      ins(%x[ji])
// CHECK-NOT:     te.compute
func.func @steps_outside_a_bound_are_dropped(%x: memref<4xf32>, %y: memref<4xf32>) {
  te.compute
    axes(jo: 3, ji: 4 unroll) where ji + jo * 4 < 4 ins(%x[ji + jo * 4]) out(%y[ji + jo * 4])
    init 0.0 : f32
    : memref<4xf32>, memref<4xf32>
    (%a: f32, %acc: f32) { te.yield %a : f32 }
  func.return
}

// The inner loop is cut where the outer one is: 2 full tiles, then 2 steps that have one row left.
// CHECK-LABEL: func.func @tails_nest
// CHECK-NEXT:    loop.for %io < 2 {
// CHECK-NEXT:      loop.for %jo < 2 {
// CHECK:             axes(ii: 2 unroll, ji: 3 unroll)
// CHECK-NEXT:        ins(%x[ii + io * 2, ji + jo * 3])
// CHECK:             axes(ii: 2 unroll, ji: 3 unroll) where ji + 6 < 7
// CHECK:         loop.for %jo_1 < 2 {
// CHECK:             axes(ii: 2 unroll, ji: 3 unroll) where ii + 4 < 5
// CHECK:           axes(ii: 2 unroll, ji: 3 unroll) where ii + 4 < 5, ji + 6 < 7
func.func @tails_nest(%x: memref<5x7xf32>, %y: memref<5x7xf32>) {
  te.compute
    axes(io: 3, jo: 3, ii: 2 unroll, ji: 3 unroll) where ii + io * 2 < 5, ji + jo * 3 < 7
    ins(%x[ii + io * 2, ji + jo * 3]) out(%y[ii + io * 2, ji + jo * 3]) init 0.0 : f32
    : memref<5x7xf32>, memref<5x7xf32>
    (%a: f32, %acc: f32) { te.yield %a : f32 }
  func.return
}

// The last steps are an op where the axis is a number, for the integer too.
// CHECK-LABEL: func.func @integers_are_read_in_the_loop
// CHECK-NEXT:    loop.for %ro < 2 {
// CHECK-NEXT:      te.compute at(ro = %ro)
// CHECK-NEXT:        axes(ri: 4 vector)
// CHECK-NEXT:        ins(%rows[ri + ro * 4] as k: 8, %x[k])
// CHECK:         te.compute
// CHECK-NEXT:      axes(ri: 4 vector) where ri + 8 < 10
// CHECK-NEXT:      ins(%rows[ri + 8] as k: 8, %x[k])
func.func @integers_are_read_in_the_loop(%rows: memref<10xi32>, %x: memref<8xf32>, %y: memref<10xf32>) {
  te.compute axes(ro: 3, ri: 4 vector) where ro * 4 + ri < 10 ins(%rows[ro * 4 + ri] as k: 8, %x[k]) out(%y[ro * 4 + ri]) init 0.0 : f32
    : memref<10xi32>, memref<8xf32>, memref<10xf32>
    (%k: i32, %a: f32, %acc: f32) { te.yield %a : f32 }
  func.return
}

// A parallel loop stays one, so that all of its steps may run at once.
// CHECK-LABEL: func.func @the_cut_step_of_a_parallel_loop_is_chosen_inside
// CHECK-NEXT:    loop.for %k < 3 parallel {
// CHECK-NEXT:      loop.if %k < 2 {
// CHECK-NEXT:        loop.for %i < 4 {
// CHECK-NEXT:          te.compute at(k = %k, i = %i)
// CHECK-NEXT:            axes()
// CHECK-NEXT:            ins(%x[i + k * 4])
// CHECK:           } else {
// CHECK-NEXT:        loop.for %i_1 < 2 {
// CHECK-NEXT:          te.compute at(i = %i_1)
// CHECK-NEXT:            axes()
// CHECK-NEXT:            ins(%x[i + 8])
func.func @the_cut_step_of_a_parallel_loop_is_chosen_inside(%x: memref<10xf32>, %y: memref<10xf32>) {
  te.compute
    axes(k: 3 parallel, i: 4) where i + k * 4 < 10 ins(%x[i + k * 4]) out(%y[i + k * 4])
    init 0.0 : f32
    : memref<10xf32>, memref<10xf32>
    (%a: f32, %acc: f32) { te.yield %a : f32 }
  func.return
}

// CHECK-LABEL: func.func @a_bound_on_a_loop_around_the_op_is_chosen_too
// CHECK-NEXT:    loop.for %k < 4 {
// CHECK-NEXT:      loop.if %k < 1 {
// CHECK:             axes(i: 4 unroll)
// CHECK:           } else {
// CHECK-NEXT:        loop.if %k < 2 {
// CHECK-NEXT:          te.compute
// CHECK-NEXT:            axes(i: 4 unroll) where i + 4 < 6
// CHECK-NOT:       te.compute
func.func @a_bound_on_a_loop_around_the_op_is_chosen_too(%x: memref<16xf32>, %y: memref<16xf32>) {
  loop.for %k < 4 {
    te.compute at(k = %k)
      axes(i: 4 unroll) where i + k * 4 < 6 ins(%x[i + k * 4]) out(%y[i + k * 4])
      init 0.0 : f32
      : memref<16xf32>, memref<16xf32>
      (%a: f32, %acc: f32) { te.yield %a : f32 }
  }
  func.return
}
