// RUN: lamina-opt %s --verify-diagnostics --parsing-diagnostics --split-input-file --allow-unregistered-dialect | filecheck %s

// CHECK: no axis 'j' for 'j + 1' in (i: 4)
func.func @access_uses_an_unknown_axis(%x: memref<8xf32>, %y: memref<4xf32>) {
  te.compute axes(i: 4) ins(%x[j + 1]) out(%y[i]) init 0.0 : f32 : memref<8xf32>, memref<4xf32>
    (%a: f32, %acc: f32) { te.yield %a : f32 }
  func.return
}

// -----
// CHECK: no axis 'j' for 'i + j' in (i: 4)
func.func @bound_uses_an_unknown_axis(%x: memref<8xf32>, %y: memref<4xf32>) {
  te.compute axes(i: 4) where i + j < 3 ins(%x[i]) out(%y[i]) init 0.0 : f32 : memref<8xf32>, memref<4xf32>
    (%a: f32, %acc: f32) { te.yield %a : f32 }
  func.return
}

// -----
// CHECK: axis 'i' is bound twice: names must be unique
func.func @two_axes_share_a_name(%x: memref<8xf32>, %y: memref<4xf32>) {
  te.compute axes(i: 4, reduce i: 2) ins(%x[i]) out(%y[i]) init 0.0 : f32 : memref<8xf32>, memref<4xf32>
    (%a: f32, %acc: f32) { te.yield %a : f32 }
  func.return
}

// -----
// CHECK: axis 'i' is bound twice: names must be unique
func.func @loop_index_has_the_name_of_an_axis(%k: index, %x: memref<8xf32>, %y: memref<4xf32>) {
  te.compute at(i = %k) axes(i: 4) ins(%x[i]) out(%y[i]) init 0.0 : f32 : memref<8xf32>, memref<4xf32>
    (%a: f32, %acc: f32) { te.yield %a : f32 }
  func.return
}

// -----
// CHECK: 'mod' cannot name an axis: need a word that is no keyword
func.func @axis_is_named_like_an_operator(%x: memref<8xf32>, %y: memref<4xf32>) {
  te.compute axes(mod: 4) ins(%x[0]) out(%y[mod]) init 0.0 : f32 : memref<8xf32>, memref<4xf32>
    (%a: f32, %acc: f32) { te.yield %a : f32 }
  func.return
}

// -----
// CHECK: axis 'i' needs an extent of at least 1, got 0
func.func @axis_is_empty(%x: memref<8xf32>, %y: memref<4xf32>) {
  te.compute axes(i: 0) ins(%x[i]) out(%y[i]) init 0.0 : f32 : memref<8xf32>, memref<4xf32>
    (%a: f32, %acc: f32) { te.yield %a : f32 }
  func.return
}

// -----
// CHECK: reduce axis 'k' cannot be parallel
func.func @reduction_is_parallel(%x: memref<8xf32>, %y: memref<4xf32>) {
  te.compute axes(i: 4, reduce k: 2 parallel) ins(%x[i + k]) out(%y[i]) init 0.0 : f32 : memref<8xf32>, memref<4xf32>
    (%a: f32, %acc: f32) { te.yield %a : f32 }
  func.return
}

// -----
// CHECK: at most one vector axis, got i, j
func.func @two_axes_are_vectors(%x: memref<8x8xf32>, %y: memref<4x4xf32>) {
  te.compute axes(i: 4 vector, j: 4 vector) ins(%x[i, j]) out(%y[i, j]) init 0.0 : f32 : memref<8x8xf32>, memref<4x4xf32>
    (%a: f32, %acc: f32) { te.yield %a : f32 }
  func.return
}

// -----
// CHECK: the output must not depend on reduce axis 'k'
func.func @output_depends_on_a_reduction(%x: memref<8xf32>, %y: memref<4xf32>) {
  te.compute axes(reduce k: 4) ins(%x[k]) out(%y[k]) init 0.0 : f32 : memref<8xf32>, memref<4xf32>
    (%a: f32, %acc: f32) { te.yield %a : f32 }
  func.return
}

// -----
// CHECK: every step of 'k: 4' writes the same element of the output: mark it reduce or use it in [0]
func.func @spatial_axis_is_missing_from_the_output(%x: memref<8xf32>, %y: memref<4xf32>) {
  te.compute axes(k: 4) ins(%x[k]) out(%y[0]) init 0.0 : f32 : memref<8xf32>, memref<4xf32>
    (%a: f32, %acc: f32) { te.yield %a : f32 }
  func.return
}

// -----
// CHECK: access [i, i] has 2 dimensions, but memref<8xf32> has 1
func.func @access_has_another_rank(%x: memref<8xf32>, %y: memref<4xf32>) {
  te.compute axes(i: 4) ins(%x[i, i]) out(%y[i]) init 0.0 : f32 : memref<8xf32>, memref<4xf32>
    (%a: f32, %acc: f32) { te.yield %a : f32 }
  func.return
}

// -----
// CHECK: te needs static shapes, got memref<?xf32>
func.func @shape_is_dynamic(%x: memref<?xf32>, %y: memref<4xf32>) {
  te.compute axes(i: 4) ins(%x[i]) out(%y[i]) init 0.0 : f32 : memref<?xf32>, memref<4xf32>
    (%a: f32, %acc: f32) { te.yield %a : f32 }
  func.return
}

// -----
// CHECK: the output cannot be padded, got [i - 1] pad 0.0
func.func @output_is_padded(%x: memref<8xf32>, %y: memref<4xf32>) {
  te.compute axes(i: 4) ins(%x[i]) out(%y[i - 1] pad 0.0) init 0.0 : f32 : memref<8xf32>, memref<4xf32>
    (%a: f32, %acc: f32) { te.yield %a : f32 }
  func.return
}

// -----
// CHECK: 'i * 2 + k - 1' is -1 at i = 0, k = 0, but must be 0 to 7 in memref<8xf32>: add pad or a where bound
func.func @read_is_before_the_buffer(%x: memref<8xf32>, %y: memref<4xf32>) {
  te.compute axes(i: 4, reduce k: 3) ins(%x[i * 2 + k - 1]) out(%y[i]) init 0.0 : f32 : memref<8xf32>, memref<4xf32>
    (%a: f32, %acc: f32) { te.yield %a : f32 }
  func.return
}

// -----
// CHECK: '(c + 8) floordiv 4' is 5 at c = 15, but must be 0 to 3 in memref<4x4xf32>: add pad or a where bound
func.func @write_is_behind_the_buffer(%x: memref<16xf32>, %y: memref<4x4xf32>) {
  te.compute axes(c: 16) ins(%x[c]) out(%y[(c + 8) floordiv 4, c mod 4]) init 0.0 : f32 : memref<16xf32>, memref<4x4xf32>
    (%a: f32, %acc: f32) { te.yield %a : f32 }
  func.return
}

// -----
// A bound keeps the last points away from the end of %x, but not from the end of %y.
// CHECK: 'i + 5' is 9 at i = 4, but must be 0 to 8 in memref<9xf32>: add pad or a where bound
func.func @bound_is_not_tight_enough(%x: memref<5xf32>, %y: memref<9xf32>) {
  te.compute axes(i: 5) where i < 5 ins(%x[i]) out(%y[i + 5]) init 0.0 : f32 : memref<5xf32>, memref<9xf32>
    (%a: f32, %acc: f32) { te.yield %a : f32 }
  func.return
}

// -----
// CHECK: 'k' is 7 at k = 7, but must be 0 to 4 in memref<8xi8>: add pad or a where bound
func.func @group_of_4_begins_near_the_end(%x: memref<8xi8>, %y: memref<8xi32>) {
  te.compute axes(k: 8) ins(%x[k]) out(%y[k]) init 0 : i32 : memref<8xi8>, memref<8xi32>
    (%a: vector<4xi8>, %acc: i32) { te.yield %acc : i32 }
  func.return
}

// -----
// CHECK: the output buffer is also read at [-i + 3], not where it is written, [i]: points would see each other's results
func.func @op_reads_what_its_other_points_write(%y: memref<4xf32>) {
  te.compute axes(i: 4) ins(%y[3 - i]) out(%y[i]) init 0.0 : f32 : memref<4xf32>, memref<4xf32>
    (%a: f32, %acc: f32) { te.yield %a : f32 }
  func.return
}

// -----
// CHECK: the body needs 2 arguments, 1 for the inputs and the accumulator, got 1
func.func @body_has_no_accumulator(%x: memref<8xf32>, %y: memref<4xf32>) {
  te.compute axes(i: 4) ins(%x[i]) out(%y[i]) init 0.0 : f32 : memref<8xf32>, memref<4xf32>
    (%a: f32) { te.yield %a : f32 }
  func.return
}

// -----
// CHECK: the body reads f16 or f32 or a vector of it from its inputs, got f64
func.func @body_reads_halves_as_doubles(%x: memref<8xf16>, %y: memref<4xf64>) {
  te.compute axes(i: 4) ins(%x[i]) out(%y[i]) init 0.0 : f64 : memref<8xf16>, memref<4xf64>
    (%a: f64, %acc: f64) { te.yield %a : f64 }
  func.return
}

// -----
// CHECK: the epilogue must yield f16 or f32, got f64
func.func @doubles_are_stored_as_halves(%x: memref<8xf64>, %y: memref<4xf16>) {
  te.compute axes(i: 4) ins(%x[i]) out(%y[i]) init 0.0 : f64 : memref<8xf64>, memref<4xf16>
    (%a: f64, %acc: f64) { te.yield %a : f64 }
  func.return
}

// -----
// CHECK: the body reads f32 or a vector of it from its inputs, got i32
func.func @body_reads_another_type(%x: memref<8xf32>, %y: memref<4xf32>) {
  te.compute axes(i: 4) ins(%x[i]) out(%y[i]) init 0.0 : f32 : memref<8xf32>, memref<4xf32>
    (%a: i32, %acc: f32) { te.yield %acc : f32 }
  func.return
}

// -----
// CHECK: the body's accumulator must be f32, got f64
func.func @accumulator_has_another_type_than_init(%x: memref<8xf32>, %y: memref<4xf32>) {
  te.compute axes(i: 4) ins(%x[i]) out(%y[i]) init 0.0 : f32 : memref<8xf32>, memref<4xf32>
    (%a: f32, %acc: f64) { te.yield %a : f32 }
  func.return
}

// -----
// CHECK: the body must yield i32, got i8
func.func @body_yields_another_type(%x: memref<8xi8>, %y: memref<4xi32>) {
  te.compute axes(i: 4) ins(%x[i]) out(%y[i]) init 0 : i32 : memref<8xi8>, memref<4xi32>
    (%a: i8, %acc: i32) { te.yield %a : i8 }
  func.return
}

// -----
// CHECK: the epilogue must yield i8, got i32
func.func @epilogue_does_not_yield_the_element_of_the_output(%x: memref<8xi32>, %y: memref<4xi8>) {
  te.compute axes(i: 4) ins(%x[i]) out(%y[i]) init 0 : i32 : memref<8xi32>, memref<4xi8>
    (%a: i32, %acc: i32) { te.yield %a : i32 }
  func.return
}

// -----
// CHECK: the epilogue needs 2 arguments, 1 for the extras and the accumulator, got 1
func.func @epilogue_does_not_take_the_extras(%x: memref<8xf32>, %y: memref<4xf32>) {
  te.compute axes(i: 4) ins(%x[i]) extras(%x[i]) out(%y[i]) init 0.0 : f32 : memref<8xf32>, memref<8xf32>, memref<4xf32>
    (%a: f32, %acc: f32) { te.yield %a : f32 } epilogue (%v: f32) { te.yield %v : f32 }
  func.return
}

// -----
// CHECK: the body must end in te.yield, got builtin.unregistered
func.func @body_does_not_yield(%x: memref<8xf32>, %y: memref<4xf32>) {
  te.compute axes(i: 4) ins(%x[i]) out(%y[i]) init 0.0 : f32 : memref<8xf32>, memref<4xf32>
    (%a: f32, %acc: f32) { "test.end"() : () -> () }
  func.return
}

// -----
// CHECK: Operation using value defined out of its IsolatedFromAbove parent
func.func @body_uses_a_value_from_outside(%c: f32, %x: memref<8xf32>, %y: memref<4xf32>) {
  te.compute axes(i: 4) ins(%x[i]) out(%y[i]) init 0.0 : f32 : memref<8xf32>, memref<4xf32>
    (%a: f32, %acc: f32) { te.yield %c : f32 }
  func.return
}

// -----
// CHECK: 'te.yield' expects parent op 'te.compute'
func.func @yield_stands_alone(%c: f32) {
  te.yield %c : f32
}

// -----
// CHECK: a table of tensor<2xf32> cannot be a memref<3xf32>
func.func @table_has_another_shape() {
  %t = te.constant dense<1.0> : tensor<2xf32> -> memref<3xf32>
  func.return
}

// -----
// CHECK: need 2 types, one a buffer, got 1
func.func @type_is_missing(%x: memref<8xf32>, %y: memref<4xf32>) {
  te.compute axes(i: 4) ins(%x[i]) out(%y[i]) init 0.0 : f32 : memref<8xf32>
    (%a: f32, %acc: f32) { te.yield %a : f32 }
  func.return
}

// -----
// CHECK: init must be a number with its type, got "zero"
func.func @init_is_no_number(%x: memref<8xf32>, %y: memref<4xf32>) {
  te.compute axes(i: 4) ins(%x[i]) out(%y[i]) init "zero" : memref<8xf32>, memref<4xf32>
    (%a: f32, %acc: f32) { te.yield %a : f32 }
  func.return
}

// -----
// CHECK: unknown directive 'tile i 4', expected one of split, order, parallel, unroll, vector, dot4
func.func @directive_is_unknown(%x: memref<8xf32>, %y: memref<4xf32>) {
  te.compute axes(i: 4) ins(%x[i]) out(%y[i]) init 0.0 : f32 schedule [tile i 4] : memref<8xf32>, memref<4xf32>
    (%a: f32, %acc: f32) { te.yield %a : f32 }
  func.return
}

// -----
// CHECK: expected 'split AXIS BY OUTER INNER', got 'split i 4'
func.func @directive_lacks_words(%x: memref<8xf32>, %y: memref<4xf32>) {
  te.compute axes(i: 4) ins(%x[i]) out(%y[i]) init 0.0 : f32 schedule [split i 4] : memref<8xf32>, memref<4xf32>
    (%a: f32, %acc: f32) { te.yield %a : f32 }
  func.return
}

// -----
// CHECK: expected 'split AXIS BY OUTER INNER' with a number BY, got 'split i io ii 4'
func.func @split_has_no_number(%x: memref<8xf32>, %y: memref<4xf32>) {
  te.compute axes(i: 4) ins(%x[i]) out(%y[i]) init 0.0 : f32 schedule [split i io ii 4] : memref<8xf32>, memref<4xf32>
    (%a: f32, %acc: f32) { te.yield %a : f32 }
  func.return
}

// -----
// CHECK: expected 'dot4 AXIS', got 'dot4 i j'
func.func @directive_has_too_many_words(%x: memref<8xf32>, %y: memref<4xf32>) {
  te.compute axes(i: 4) ins(%x[i]) out(%y[i]) init 0.0 : f32 schedule [dot4 i j] : memref<8xf32>, memref<4xf32>
    (%a: f32, %acc: f32) { te.yield %a : f32 }
  func.return
}

// -----
// CHECK: [i] as k: 8 needs a buffer of i32 or i64, got f32
func.func @float_has_a_name(%r: memref<4xf32>, %x: memref<8xf32>, %y: memref<4xf32>) {
  te.compute axes(i: 4) ins(%r[i] as k: 8, %x[k]) out(%y[i]) init 0.0 : f32 : memref<4xf32>, memref<8xf32>, memref<4xf32>
    (%k: f32, %a: f32, %acc: f32) { te.yield %a : f32 }
  func.return
}

// -----
// CHECK: axis 'i' is bound twice: names must be unique
func.func @integer_is_called_like_an_axis(%r: memref<4xi32>, %x: memref<8xf32>, %y: memref<4xf32>) {
  te.compute axes(i: 4) ins(%r[i] as i: 8, %x[i]) out(%y[i]) init 0.0 : f32 : memref<4xi32>, memref<8xf32>, memref<4xf32>
    (%k: i32, %a: f32, %acc: f32) { te.yield %a : f32 }
  func.return
}

// -----
// CHECK: 'k' is bound twice: names must be unique
func.func @two_integers_have_one_name(%r: memref<4xi32>, %x: memref<8xf32>, %y: memref<4xf32>) {
  te.compute axes(i: 4) ins(%r[i] as k: 8, %r[i] as k: 4, %x[k]) out(%y[i]) init 0.0 : f32 : memref<4xi32>, memref<4xi32>, memref<8xf32>, memref<4xf32>
    (%k: i32, %l: i32, %a: f32, %acc: f32) { te.yield %a : f32 }
  func.return
}

// -----
// CHECK: 'mod' cannot name an axis: need a word that is no keyword
func.func @integer_is_called_like_a_keyword(%r: memref<4xi32>, %x: memref<8xf32>, %y: memref<4xf32>) {
  te.compute axes(i: 4) ins(%r[i] as mod: 8, %x[i]) out(%y[i]) init 0.0 : f32 : memref<4xi32>, memref<8xf32>, memref<4xf32>
    (%k: i32, %a: f32, %acc: f32) { te.yield %a : f32 }
  func.return
}

// -----
// CHECK: 'k' uses 'k', which only inputs after [i] as k: 8 may
func.func @integer_is_used_before_it_is_read(%r: memref<4xi32>, %x: memref<8xf32>, %y: memref<4xf32>) {
  te.compute axes(i: 4) ins(%x[k], %r[i] as k: 8) out(%y[i]) init 0.0 : f32 : memref<8xf32>, memref<4xi32>, memref<4xf32>
    (%a: f32, %k: i32, %acc: f32) { te.yield %a : f32 }
  func.return
}

// -----
// CHECK: 'k' uses 'k', which only inputs after [i] as k: 4 may
func.func @output_is_written_at_an_integer(%r: memref<4xi32>, %y: memref<4xf32>) {
  te.compute axes(i: 4) ins(%r[i] as k: 4) out(%y[k]) init 0.0 : f32 : memref<4xi32>, memref<4xf32>
    (%k: i32, %acc: f32) { te.yield %acc : f32 }
  func.return
}

// -----
// CHECK: 'k' uses 'k', which only inputs after [i] as k: 4 may
func.func @bound_is_an_integer(%r: memref<4xi32>, %y: memref<4xf32>) {
  te.compute axes(i: 4) where k < 3 ins(%r[i] as k: 4) out(%y[i]) init 0.0 : f32 : memref<4xi32>, memref<4xf32>
    (%k: i32, %acc: f32) { te.yield %acc : f32 }
  func.return
}

// -----
// CHECK: 'k' uses 'k', which only inputs after [i] as k: 4 may
func.func @extra_is_at_an_integer(%r: memref<4xi32>, %b: memref<4xf32>, %y: memref<4xf32>) {
  te.compute axes(i: 4) ins(%r[i] as k: 4) extras(%b[k]) out(%y[i]) init 0.0 : f32 : memref<4xi32>, memref<4xf32>, memref<4xf32>
    (%k: i32, %acc: f32) { te.yield %acc : f32 } epilogue (%v: f32, %c: f32) { te.yield %c : f32 }
  func.return
}

// -----
// CHECK: only inputs can bind a name, got [i] as k: 4 behind them
func.func @extra_has_a_name(%r: memref<4xi32>, %y: memref<4xf32>) {
  te.compute axes(i: 4) extras(%r[i] as k: 4) out(%y[i]) init 0.0 : f32 : memref<4xi32>, memref<4xf32>
    (%acc: f32) { te.yield %acc : f32 } epilogue (%v: f32, %c: i32) { te.yield %v : f32 }
  func.return
}

// -----
// CHECK: 'k' is 8 at k = 8, but must be 0 to 7 in memref<8xf32>: add pad or a smaller extent
func.func @promise_leaves_the_buffer(%r: memref<4xi32>, %x: memref<8xf32>, %y: memref<4xf32>) {
  te.compute axes(i: 4) ins(%r[i] as k: 9, %x[k]) out(%y[i]) init 0.0 : f32 : memref<4xi32>, memref<8xf32>, memref<4xf32>
    (%k: i32, %a: f32, %acc: f32) { te.yield %a : f32 }
  func.return
}

// -----
// CHECK: 'k' needs an extent of at least 1, got 0 in [i] as k: 0
func.func @promise_cannot_be_kept(%r: memref<4xi32>, %x: memref<8xf32>, %y: memref<4xf32>) {
  te.compute axes(i: 4) ins(%r[i] as k: 0, %x[k]) out(%y[i]) init 0.0 : f32 : memref<4xi32>, memref<8xf32>, memref<4xf32>
    (%k: i32, %a: f32, %acc: f32) { te.yield %a : f32 }
  func.return
}

// -----
// CHECK: [i - 1] pad 0.0 as k: 8 cannot be padded: 'k' has to be an integer read
func.func @integer_is_padding(%r: memref<4xi32>, %x: memref<8xf32>, %y: memref<4xf32>) {
  te.compute axes(i: 4) ins(%r[i - 1] pad 0.0 as k: 8, %x[k]) out(%y[i]) init 0.0 : f32 : memref<4xi32>, memref<8xf32>, memref<4xf32>
    (%k: i32, %a: f32, %acc: f32) { te.yield %a : f32 }
  func.return
}

// -----
// CHECK: [i] as k: 8 needs one integer, but a group of neighbours is read
func.func @group_has_a_name(%r: memref<4xi32>, %x: memref<8xf32>, %y: memref<2xf32>) {
  te.compute axes(i: 2) ins(%r[i] as k: 8, %x[k]) out(%y[i]) init 0.0 : f32 : memref<4xi32>, memref<8xf32>, memref<2xf32>
    (%k: vector<2xi32>, %a: f32, %acc: f32) { te.yield %a : f32 }
  func.return
}
