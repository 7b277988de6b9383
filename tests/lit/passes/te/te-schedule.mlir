// RUN: lamina-opt %s --split-input-file --verify-diagnostics -p te-schedule | filecheck %s
// RUN: lamina-opt %s --split-input-file --verify-diagnostics -p 'te-schedule{steps=2}' | filecheck %s --check-prefix STEPS

// CHECK-LABEL: @a_contraction_becomes_its_loop_nest
// CHECK: axes(oh: 6 parallel, owo: 2, reduce ic: 16, reduce kh: 3, reduce kw: 3, owi: 4 unroll, ocm: 2 unroll, ocv: 16 vector) where owi + owo * 4 < 6
// CHECK-NEXT: ins(%x[0, kh + oh, kw + owi + owo * 4, ic], %w[0, 0, kh, kw, ic, ocm * 16 + ocv])
// CHECK-NEXT: extras(%bias[ocm * 16 + ocv])
// CHECK-NEXT: out(%y[ocm, oh + 1, owi + owo * 4 + 1, ocv])
// CHECK-NEXT: init 0.000000e+00 : f32
// CHECK-NEXT: : memref
// STEPS-LABEL: @a_contraction_becomes_its_loop_nest
// STEPS: axes(ocm: 2, ocv: 16, oh: 6, owo: 2, owi: 4, reduce ic: 16, reduce kh: 3, reduce kw: 3) where owi + owo * 4 < 6
// STEPS: schedule [order oh owo ic kh kw owi ocm ocv, parallel oh, unroll owi ocm, vector ocv]
func.func @a_contraction_becomes_its_loop_nest(%x: memref<1x8x8x16xf32>, %w: memref<1x1x3x3x16x32xf32>, %bias: memref<32xf32>, %y: memref<2x8x8x16xf32>) {
  te.compute
    axes(oc: 32, oh: 6, ow: 6, reduce ic: 16, reduce kh: 3, reduce kw: 3)
    ins(%x[ic floordiv 16, kh + oh, kw + ow, ic mod 16], %w[oc floordiv 32, ic floordiv 16, kh, kw, ic mod 16, oc mod 32])
    extras(%bias[oc])
    out(%y[oc floordiv 16, oh + 1, ow + 1, oc mod 16])
    init 0.0 : f32
    schedule [split oc 16 ocm ocv, split ow 4 owo owi, order oh owo ic kh kw owi ocm ocv, parallel oh, unroll owi ocm, vector ocv]
    : memref<1x8x8x16xf32>, memref<1x1x3x3x16x32xf32>, memref<32xf32>, memref<2x8x8x16xf32>
    (%a: f32, %b: f32, %acc: f32) {
      %s = math.fma %a, %b, %acc : f32
      te.yield %s : f32
    } epilogue (%v: f32, %c: f32) {
      %t = arith.addf %v, %c : f32
      te.yield %t : f32
    }
  func.return
}

// -----
// 1 x 28 pixels; the weights stay in one register and the pixels are broadcast from memory.
// CHECK-LABEL: @one_row_of_pixels_per_register_of_weights
// CHECK: axes(oco: 4 parallel, oh: 56, owo: 2, reduce ico: 4, reduce kh: 3, reduce kw: 3, reduce ici: 16, owi: 28 unroll, ocv: 16 vector)
// CHECK-NEXT: ins(%x[ico, kh + oh, kw + owi + owo * 28, ici], %w[oco, ico, kh, kw, ici, ocv])
// CHECK-NEXT: out(%y[oco, oh, owi + owo * 28, ocv])
// STEPS: schedule [split ow 28 owo owi, order oco oh owo ico kh kw ici owi ocv, parallel oco, unroll owi, vector ocv]
func.func @one_row_of_pixels_per_register_of_weights(%x: memref<4x58x58x16xf32>, %w: memref<4x4x3x3x16x16xf32>, %y: memref<4x56x56x16xf32>) {
  te.compute
    axes(oc: 64, oh: 56, ow: 56, reduce ic: 64, reduce kh: 3, reduce kw: 3)
    ins(%x[ic floordiv 16, oh + kh, ow + kw, ic mod 16], %w[oc floordiv 16, ic floordiv 16, kh, kw, ic mod 16, oc mod 16])
    out(%y[oc floordiv 16, oh, ow, oc mod 16])
    init 0.0 : f32
    schedule [split oc 16 oco ocv, split ic 16 ico ici, split ow 28 owo owi, order oco oh owo ico kh kw ici owi ocv,
      parallel oco, unroll owi, vector ocv]
    : memref<4x58x58x16xf32>, memref<4x4x3x3x16x16xf32>, memref<4x56x56x16xf32>
    (%a: f32, %b: f32, %acc: f32) {
      %s = math.fma %a, %b, %acc : f32
      te.yield %s : f32
    }
  func.return
}

// -----
// CHECK-LABEL: @groups_of_four_bytes
// CHECK: axes(reduce ko: 8, o: 16 vector)
// CHECK-NEXT: ins(%x[ko * 4], %w[ko, o, 0])
// CHECK: int8.dot4
// STEPS: int8.dot4
func.func @groups_of_four_bytes(%x: memref<32xi8>, %w: memref<8x16x4xi8>, %y: memref<16xi32>) {
  te.compute
    axes(o: 16, reduce k: 32) ins(%x[k], %w[k floordiv 4, o, k mod 4]) out(%y[o]) init 0 : i32
    schedule [split k 4 ko kg, dot4 kg, order ko o, vector o]
    : memref<32xi8>, memref<8x16x4xi8>, memref<16xi32>
    (%a: i8, %b: i8, %acc: i32) {
      %ax = arith.extui %a : i8 to i32
      %bx = arith.extsi %b : i8 to i32
      %p = arith.muli %ax, %bx : i32
      %s = arith.addi %acc, %p : i32
      te.yield %s : i32
    }
  func.return
}

// -----
// CHECK: te-schedule: 'split ow 0 a b': cannot split ow: 56 by 0 (@a_refused_split_says_why)
// STEPS: te-schedule: 'split ow 0 a b': cannot split ow: 56 by 0 (@a_refused_split_says_why)
func.func @a_refused_split_says_why(%x: memref<56xf32>, %y: memref<56xf32>) {
  te.compute axes(ow: 56) ins(%x[ow]) out(%y[ow]) init 0.0 : f32 schedule [split ow 0 a b]
    : memref<56xf32>, memref<56xf32>
    (%a: f32, %acc: f32) { te.yield %a : f32 }
  func.return
}

// -----
// CHECK: te-schedule: 'vector oc': no axis 'oc' in (oco: 4, oci: 14) (@a_directive_names_an_axis_that_was_split)
// STEPS: te-schedule: 'vector oc': no axis 'oc' in (oco: 4, oci: 14)
func.func @a_directive_names_an_axis_that_was_split(%x: memref<56xf32>, %y: memref<56xf32>) {
  te.compute axes(oc: 56) ins(%x[oc]) out(%y[oc]) init 0.0 : f32 schedule [split oc 14 oco oci, vector oc]
    : memref<56xf32>, memref<56xf32>
    (%a: f32, %acc: f32) { te.yield %a : f32 }
  func.return
}

// -----
// CHECK: te-schedule: 'order i': 'k' is missing, need each axis of (i: 4, reduce k: 3) once (@an_order_must_name_every_axis)
// STEPS: te-schedule: 'order i': 'k' is missing
func.func @an_order_must_name_every_axis(%x: memref<8xf32>, %y: memref<4xf32>) {
  te.compute axes(i: 4, reduce k: 3) ins(%x[i + k]) out(%y[i]) init 0.0 : f32 schedule [order i]
    : memref<8xf32>, memref<4xf32>
    (%a: f32, %acc: f32) { %s = arith.addf %acc, %a : f32  te.yield %s : f32 }
  func.return
}

// -----
// CHECK: te-schedule: 'parallel i k': cannot make 'reduce k: 3' parallel
// STEPS: te-schedule: 'parallel i k': cannot make 'reduce k: 3' parallel
func.func @a_mark_that_cannot_be(%x: memref<8xf32>, %y: memref<4xf32>) {
  te.compute axes(i: 4, reduce k: 3) ins(%x[i + k]) out(%y[i]) init 0.0 : f32 schedule [parallel i k]
    : memref<8xf32>, memref<4xf32>
    (%a: f32, %acc: f32) { %s = arith.addf %acc, %a : f32  te.yield %s : f32 }
  func.return
}
