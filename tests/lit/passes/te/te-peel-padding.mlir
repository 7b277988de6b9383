// RUN: lamina-opt %s --split-input-file --verify-diagnostics -p te-peel-padding | filecheck %s
// RUN: lamina-opt %s --split-input-file --verify-diagnostics -p 'te-peel-padding{axes=i}' | filecheck %s --check-prefix ONLY

// CHECK-LABEL: @borders_become_ops_with_shorter_reductions
// CHECK: axes(reduce k: 2)
// CHECK-NEXT: ins(%x[k], %w[k + 1])
// CHECK-NEXT: out(%y[0])
// CHECK: axes(i: 6, reduce k: 3)
// CHECK-NEXT: ins(%x[i + k], %w[k])
// CHECK-NEXT: out(%y[i + 1])
// CHECK: axes(reduce k: 2)
// CHECK-NEXT: ins(%x[k + 6], %w[k])
// CHECK-NEXT: out(%y[7])
// CHECK-NOT: te.compute
// CHECK: func.return
// ONLY-LABEL: @borders_become_ops_with_shorter_reductions
// ONLY-COUNT-3: te.compute
// ONLY: func.return
func.func @borders_become_ops_with_shorter_reductions(%x: memref<8xf32>, %w: memref<3xf32>, %y: memref<8xf32>) {
  te.compute axes(i: 8, reduce k: 3) ins(%x[i + k - 1] pad 0.0, %w[k]) out(%y[i]) init 0.0 : f32
    : memref<8xf32>, memref<3xf32>, memref<8xf32>
    (%a: f32, %b: f32, %acc: f32) {
      %p = arith.mulf %a, %b : f32
      %s = arith.addf %acc, %p : f32
      te.yield %s : f32
    }
  func.return
}

// -----
// 2 * i + 3 * k - 4 in a buffer of 9: steps of 2, taps 3 apart, 4 before and 2 behind.
// CHECK-LABEL: @strides_and_dilation_decide_which_taps_remain
// CHECK: axes(reduce k: 1)
// CHECK-NEXT: ins(%x[2])
// CHECK-NEXT: out(%y[0])
// CHECK: axes(reduce k: 2)
// CHECK-NEXT: ins(%x[k * 3 + 1])
// CHECK-NEXT: out(%y[1])
// CHECK: axes(i: 2, reduce k: 3)
// CHECK-NEXT: ins(%x[i * 2 + k * 3])
// CHECK-NEXT: out(%y[i + 2])
// CHECK: axes(reduce k: 2)
// CHECK-NEXT: ins(%x[k * 3 + 4])
// CHECK-NEXT: out(%y[4])
// ONLY-LABEL: @strides_and_dilation_decide_which_taps_remain
// ONLY-COUNT-4: te.compute
func.func @strides_and_dilation_decide_which_taps_remain(%x: memref<9xf32>, %y: memref<5xf32>) {
  te.compute axes(i: 5, reduce k: 3) ins(%x[i * 2 + k * 3 - 4] pad 0.0) out(%y[i]) init 0.0 : f32
    schedule [unroll k] : memref<9xf32>, memref<5xf32>
    (%a: f32, %acc: f32) { %s = arith.addf %acc, %a : f32  te.yield %s : f32 }
  func.return
}

// -----
// CHECK-LABEL: @maxima_ignore_what_cannot_exceed_init
// CHECK: axes(j: 4, reduce k: 2)
// CHECK-NEXT: ins(%x[j, k])
// CHECK-NEXT: out(%y[j, 0])
// CHECK: schedule [parallel j]
// CHECK: axes(j: 4, i: 3, reduce k: 3)
// CHECK-NEXT: ins(%x[j, i + k])
// CHECK: schedule [parallel j]
// CHECK: axes(j: 4, reduce k: 2)
// CHECK-NEXT: ins(%x[j, k + 3])
// CHECK-NEXT: out(%y[j, 4])
// CHECK: schedule [parallel j]
// ONLY-LABEL: @maxima_ignore_what_cannot_exceed_init
// ONLY-COUNT-3: te.compute
func.func @maxima_ignore_what_cannot_exceed_init(%x: memref<4x5xf32>, %y: memref<4x5xf32>) {
  te.compute axes(j: 4, i: 5, reduce k: 3) ins(%x[j, i + k - 1] pad -inf) out(%y[j, i]) init 0xff800000 : f32
    schedule [parallel j] : memref<4x5xf32>, memref<4x5xf32>
    (%a: f32, %acc: f32) { %m = arith.maximumf %acc, %a : f32  te.yield %m : f32 }
  func.return
}

// -----
// CHECK-LABEL: @two_axes_are_cut_one_after_the_other
// CHECK-COUNT-9: te.compute
// CHECK-NOT: te.compute
// CHECK: func.return
// ONLY-LABEL: @two_axes_are_cut_one_after_the_other
// ONLY: axes(j: 5, reduce k: 2, reduce l: 3)
// ONLY-NEXT: ins(%x[k, j + l - 1] pad 0.0)
// ONLY-COUNT-2: te.compute
// ONLY-NOT: te.compute
// ONLY: func.return
func.func @two_axes_are_cut_one_after_the_other(%x: memref<4x5xf32>, %y: memref<4x5xf32>) {
  te.compute axes(i: 4, j: 5, reduce k: 3, reduce l: 3) ins(%x[i + k - 1, j + l - 1] pad 0.0) out(%y[i, j]) init 0.0 : f32
    : memref<4x5xf32>, memref<4x5xf32>
    (%a: f32, %acc: f32) { %s = arith.addf %acc, %a : f32  te.yield %s : f32 }
  func.return
}

// -----
// The first two outputs see nothing of %x: they are init and what the epilogue makes of it.
// CHECK-LABEL: @where_all_is_padding_the_reduction_goes
// CHECK: axes(i: 2)
// CHECK-NEXT: extras(%b[i])
// CHECK-NEXT: out(%y[i])
// CHECK-NEXT: init 2.000000e+00 : f32
// CHECK-NEXT: (%acc: f32) {
// CHECK-NEXT: te.yield %acc
// CHECK: epilogue (%v: f32, %c: f32) {
// CHECK: axes()
// CHECK-NEXT: ins(%x[0])
// CHECK-NEXT: extras(%b[2])
// CHECK: axes(i: 2, reduce k: 2)
// CHECK: axes()
// CHECK-NEXT: ins(%x[2])
// CHECK-NOT: te.compute
// CHECK: func.return
// ONLY: axes(i: 2)
func.func @where_all_is_padding_the_reduction_goes(%x: memref<3xf32>, %b: memref<6xf32>, %y: memref<6xf32>) {
  te.compute axes(i: 6, reduce k: 2) ins(%x[i + k - 3] pad 0.0) extras(%b[i]) out(%y[i]) init 2.0 : f32
    : memref<3xf32>, memref<6xf32>, memref<6xf32>
    (%a: f32, %acc: f32) { %s = arith.addf %acc, %a : f32  te.yield %s : f32 }
    epilogue (%v: f32, %c: f32) { %s = arith.addf %v, %c : f32  te.yield %s : f32 }
  func.return
}

// -----
// CHECK-LABEL: @where_a_copy_sees_padding_it_is_a_number
// CHECK: axes(i: 2)
// CHECK-NEXT: out(%y[i])
// CHECK: %[[PAD:.*]] = arith.constant 7.000000e+00 : f32
// CHECK-NEXT: te.yield %[[PAD]]
// CHECK: axes(i: 4)
// CHECK-NEXT: ins(%x[i])
// CHECK-NEXT: out(%y[i + 2])
// CHECK: axes(i: 1)
// ONLY: axes(i: 2)
func.func @where_a_copy_sees_padding_it_is_a_number(%x: memref<4xf32>, %y: memref<7xf32>) {
  te.compute axes(i: 7) ins(%x[i - 2] pad 7.0) out(%y[i]) init 0.0 : f32 schedule [parallel i]
    : memref<4xf32>, memref<7xf32>
    (%a: f32, %acc: f32) { te.yield %a : f32 }
  func.return
}

// -----
// The zero point 128 stands for 0, so that products with it vanish.
// CHECK-LABEL: @a_zero_point_counts_as_zero
// CHECK: axes()
// CHECK-NEXT: ins(%x[0], %w[1])
// CHECK: axes(i: 3, reduce k: 2)
// CHECK: axes()
// CHECK-NEXT: ins(%x[3], %w[0])
// ONLY: axes()
func.func @a_zero_point_counts_as_zero(%x: memref<4xi32>, %w: memref<2xi32>, %y: memref<5xi32>) {
  te.compute axes(i: 5, reduce k: 2) ins(%x[i + k - 1] pad 128.0, %w[k]) out(%y[i]) init 0 : i32
    : memref<4xi32>, memref<2xi32>, memref<5xi32>
    (%a: i32, %b: i32, %acc: i32) {
      %z = arith.constant 128 : i32
      %d = arith.subi %a, %z : i32
      %p = arith.muli %d, %b : i32
      %s = arith.addi %p, %acc : i32
      te.yield %s : i32
    }
  func.return
}

// -----
// CHECK: te-peel-padding: cannot leave out the padding that [i + k - 1] pad 0.0 reads, because the reduction does not ignore it (need 0 in a sum of products, at most init -inf in a maximum, at least init in a minimum); give the buffer a halo instead (@padding_that_counts_is_refused)
// ONLY: te-peel-padding: cannot leave out the padding that [i + k - 1] pad 0.0 reads
func.func @padding_that_counts_is_refused(%x: memref<4xf32>, %y: memref<3xf32>) {
  te.compute axes(i: 3, reduce k: 5) ins(%x[i + k - 1] pad 0.0) out(%y[i]) init 0xff800000 : f32
    : memref<4xf32>, memref<3xf32>
    (%a: f32, %acc: f32) { %m = arith.maximumf %acc, %a : f32  te.yield %m : f32 }
  func.return
}

// -----
// CHECK: te-peel-padding: 'k + (i + 3) floordiv 2 - 2' of [k + (i + 3) floordiv 2 - 2] pad 0.0 may leave its 4 elements, and is not linear in 'i' or has the index of a loop outside; give the buffer a halo (@a_borders_position_must_be_linear)
// ONLY: te-peel-padding: 'k + (i + 3) floordiv 2 - 2' of
func.func @a_borders_position_must_be_linear(%x: memref<4xf32>, %y: memref<6xf32>) {
  te.compute axes(i: 6, reduce k: 3) ins(%x[(i + 3) floordiv 2 + k - 2] pad 0.0) out(%y[i]) init 0.0 : f32
    : memref<4xf32>, memref<6xf32>
    (%a: f32, %acc: f32) { %s = arith.addf %acc, %a : f32  te.yield %s : f32 }
  func.return
}

// -----
// CHECK: te-peel-padding: 'ki + ko * 2 - 1' of [ki + ko * 2 - 1] pad 0.0 still may leave its 4 elements: two reduce axes decide it together; give the buffer a halo (@two_reduce_axes_that_decide_together)
// ONLY: axes(i: 2, reduce ko: 3, reduce ki: 2)
func.func @two_reduce_axes_that_decide_together(%x: memref<4xf32>, %y: memref<2xf32>) {
  te.compute axes(i: 2, reduce ko: 3, reduce ki: 2) ins(%x[ko * 2 + ki - 1] pad 0.0) out(%y[i]) init 0.0 : f32
    : memref<4xf32>, memref<2xf32>
    (%a: f32, %acc: f32) { %s = arith.addf %acc, %a : f32  te.yield %s : f32 }
  func.return
}

// -----
// Where the integer is read moves along with the cut.
// CHECK-LABEL: @axes_are_cut_beside_integers
// CHECK: axes(i: 6)
// CHECK-NEXT: ins(%rows[i + 1] as k: 3, %x[k, i])
// ONLY: ins(%rows[i + 1] as k: 3, %x[k, i])
func.func @axes_are_cut_beside_integers(%rows: memref<8xi32>, %x: memref<3x6xf32>, %y: memref<8xf32>) {
  te.compute axes(i: 8) ins(%rows[i] as k: 3, %x[k, i - 1] pad 0.0) out(%y[i]) init 0.0 : f32
    : memref<8xi32>, memref<3x6xf32>, memref<8xf32>
    (%k: i32, %a: f32, %acc: f32) { te.yield %a : f32 }
  func.return
}

// -----
// CHECK: te-peel-padding: 'i + k - 1' of [i + k - 1] pad 0.0 still may leave its 6 elements: integers that are read decide it (k); give the buffer a halo (@integers_may_leave_the_buffer)
// ONLY: ins(%rows[i] as k: 3, %x[i + k - 1] pad 0.0)
func.func @integers_may_leave_the_buffer(%rows: memref<8xi32>, %x: memref<6xf32>, %y: memref<8xf32>) {
  te.compute axes(i: 8) ins(%rows[i] as k: 3, %x[i + k - 1] pad 0.0) out(%y[i]) init 0.0 : f32
    : memref<8xi32>, memref<6xf32>, memref<8xf32>
    (%k: i32, %a: f32, %acc: f32) { te.yield %a : f32 }
  func.return
}
